"""The plans page: what is offered, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing import catalogue, subscribing

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Subscription


@dataclass(frozen=True, slots=True)
class OfferedPlan:
    """One plan as it is sold now."""

    name: str
    cycle_credits: int
    month_cents: int | None
    year_cents: int | None
    currency: str
    sells_blocks: bool
    is_current: bool


def offered_plans(
    subscription: Subscription | None, *, at: datetime
) -> list[OfferedPlan]:
    """Return every plan in force, in order, with the one of the subscription marked.

    Raises:
        NothingOffered: there is no subscription, and no Free plan in force.
    """
    current = subscribing.version_of(subscription, at=at)
    return [
        OfferedPlan(
            name=version.plan.name,
            cycle_credits=version.cycle_credits,
            month_cents=version.month_cents,
            year_cents=version.year_cents,
            currency=version.currency,
            sells_blocks=version.sells_blocks,
            is_current=version.plan_id == current.plan_id,
        )
        for version in catalogue.plans_in_force(at=at)
    ]
