"""The plans page: what is offered, side by side, and what of it can be had now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from billing.changes import previewing
from billing.changes.previewing import Target
from billing.models import Interval, PlanFamily
from billing.plans import catalogue, subscribing

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import PlanVersion, Subscription


@dataclass(frozen=True, slots=True)
class Tier:
    """One size of a family at an interval. Cents are a term's."""

    code: str
    name: str
    cycle_credits: int
    cents: int
    currency: str
    is_sample_price: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class OfferedFamily:
    """The plans that differ only in size, as one card.

    `shown` is the size that the card describes, `choice` the one that is preselected.
    """

    family: PlanFamily
    name: str
    tiers: tuple[Tier, ...]
    shown: Tier
    choice: Tier | None
    sells_blocks: bool
    has_current: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is sold, at one interval."""

    interval: Interval
    families: tuple[OfferedFamily, ...]


def comparison(
    subscription: Subscription | None, *, interval: Interval, at: datetime
) -> Comparison:
    """Return every plan in force that is sold, in order, by family.

    Raises:
        NothingOffered: there is no subscription, and no Free plan in force.
    """
    current = subscribing.version_of(subscription, at=at)
    now = Target(current, Interval(subscription.interval) if subscription else interval)
    sold = [
        (version, _tier(Target(version, interval), now))
        for version in catalogue.plans_in_force(at=at)
        if _is_sold(Target(version, interval))
    ]
    return Comparison(
        interval,
        tuple(
            _family(PlanFamily(family), list(members), current)
            for family, members in groupby(sold, lambda each: each[0].plan.family)
        ),
    )


def _is_sold(offered: Target) -> bool:
    family = offered.version.plan.family
    if family == PlanFamily.LEGACY:  # never sold: it is only kept (R0, R34)
        return False
    return family == PlanFamily.FREE or previewing.term_cents(offered) is not None


def _tier(offered: Target, now: Target) -> Tier:
    version = offered.version
    is_free = version.plan.family == PlanFamily.FREE
    return Tier(
        code=version.plan.code,
        name=version.plan.name,
        cycle_credits=version.cycle_credits,
        cents=previewing.term_cents(offered) or 0,
        currency=version.currency,
        is_sample_price=version.is_sample_price,
        is_current=version.plan_id == now.version.plan_id
        and (is_free or offered.interval == now.interval),
    )


def _family(
    family: PlanFamily, members: list[tuple[PlanVersion, Tier]], current: PlanVersion
) -> OfferedFamily:
    tiers = tuple(tier for _, tier in members)
    own = [tier for tier in tiers if tier.is_current]
    others = [tier for tier in tiers if not tier.is_current]
    larger = [tier for tier in others if tier.cycle_credits > current.cycle_credits]
    choice = next(iter(larger or others[-1:]), None)
    return OfferedFamily(
        family=family,
        name=str(family.label),
        tiers=tiers,
        shown=own[0] if own else larger[0] if larger else tiers[-1],
        choice=choice,
        sells_blocks=any(version.sells_blocks for version, _ in members),
        has_current=bool(own),
    )
