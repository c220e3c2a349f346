"""Plans and blocks as staff draft them, before anybody can buy them (R36).

A draft follows the last published version. Publishing adds the next one, by the
function that loads the catalogue's file; who is subscribed keeps theirs. Each write
says which content its author saw: what somebody else has changed is not overwritten.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from billing import stripe_gateway
from billing.models import (
    BlockOffer,
    Interval,
    OfferDraft,
    Plan,
    PlanFamily,
    PlanVersion,
    Subscription,
)
from billing.plans import catalogue
from billing.plans.catalogue import BlocksToPublish, PlanToPublish
from credits import drafting
from credits.core.amounts import MAX_CREDITS
from credits.drafting import DraftRefused
from credits.models import DraftState

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

MAX_BLOCKS, MAX_MONTHS = 10_000, 120

Offer: TypeAlias = PlanVersion | BlockOffer


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What may differ between versions of a plan; no `year_cents`: not sold so."""

    cycle_credits: int
    month_cents: int
    year_cents: int | None

    def cents(self, interval: Interval) -> int | None:
        """Return the price of a term; None: there is none."""
        return self.year_cents if interval == Interval.YEAR else self.month_cents


@dataclass(frozen=True, slots=True)
class BlockTerms:
    """What may differ between versions of the block offer."""

    credits: int
    cents: int
    min_blocks: int
    max_blocks: int
    expires_after_months: int | None


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Those on one version of a plan, paid so often: what each pays, and new ones."""

    version: PlanVersion
    interval: Interval
    number: int
    cents: int
    new_cents: int | None


def plans_to_draft() -> list[Plan]:
    """Return the plans that are sold: Free costs nothing, legacy ones end (R34)."""
    unsold = [PlanFamily.FREE, PlanFamily.LEGACY]
    return list(Plan.objects.exclude(family__in=unsold).order_by("position", "pk"))


def last_offer(plan: Plan | None) -> Offer | None:
    """Return the version of a plan, or of the blocks, that begins last."""
    if plan:
        return plan.versions.order_by("-starts_at").select_related("plan").first()
    return BlockOffer.objects.order_by("-starts_at").first()


@transaction.atomic
def begin(*, plan: Plan | None, by: User, at: datetime) -> OfferDraft:
    """Begin a draft with the terms of the last version of a plan, or of the blocks.

    Raises:
        DraftRefused: there is none, or the plan is not sold.
    """
    offer = last_offer(plan)
    if offer is None or (plan and plan not in plans_to_draft()):
        raise DraftRefused(_("Only what is sold can be drafted."))
    draft = OfferDraft.objects.create(
        plan=plan,
        based_on=offer.version,
        terms=asdict(_terms_of_offer(offer)),
        drafted_by=by,
        drafted_at=at,
    )
    drafting.record("drafted", draft, by=by, at=at, after={"based_on": str(offer)})
    return draft


def terms_of(draft: OfferDraft) -> PlanTerms | BlockTerms:
    """Return the terms of a draft."""
    return PlanTerms(**draft.terms) if draft.plan_id else BlockTerms(**draft.terms)


def offer_before(draft: OfferDraft) -> Offer:
    """Return the version that a draft follows."""
    return _offer(draft, draft.based_on)


def terms_before(draft: OfferDraft) -> PlanTerms | BlockTerms:
    """Return the terms of the version that a draft follows."""
    return _terms_of_offer(offer_before(draft))


def subscribers_of(draft: OfferDraft) -> tuple[Subscribers, ...]:
    """Return who is on which version of the draft's plan, and what a new one pays."""
    terms = terms_of(draft)
    if not isinstance(terms, PlanTerms):
        return ()
    live = Subscription.objects.filter(ended_at=None, plan_version__plan=draft.plan)
    counted = Counter(
        {
            (version, interval): number
            for version, interval, number in live.values_list(
                "plan_version", "interval"
            ).annotate(number=Count("pk"))
        }
    )
    versions = PlanVersion.objects.filter(plan=draft.plan).order_by("-version")
    return tuple(
        Subscribers(
            version=version,
            interval=interval,
            number=counted[version.pk, interval],
            cents=_terms(version).cents(interval) or 0,
            new_cents=terms.cents(interval),
        )
        for version in versions
        for interval in Interval
        if counted[version.pk, interval]
    )


@transaction.atomic
def set_terms(
    draft: OfferDraft,
    terms: PlanTerms | BlockTerms,
    *,
    starts_at: datetime | None,
    seen: str,
    by: User,
    at: datetime,
) -> None:
    """Change the terms, and from when on they hold: None: from their publication.

    Raises:
        DraftMoved: the draft is not what was seen.
        DraftRefused: such terms cannot be, or cannot begin then.
    """
    locked = drafting.locked(draft, seen)
    _require_possible(terms)
    _require_start(offer_before(locked), starts_at or at, at=at)
    before = locked.terms | {"starts_at": str(locked.starts_at)}
    locked.terms, locked.starts_at = asdict(terms), starts_at
    locked.save(update_fields=["terms", "starts_at"])
    after = locked.terms | {"starts_at": str(starts_at)}
    drafting.record("terms_set", locked, by=by, at=at, before=before, after=after)


@transaction.atomic
def withdraw(draft: OfferDraft, *, by: User, at: datetime) -> None:
    """Close a draft for good, without effect.

    Raises:
        DraftMoved: it is closed already.
    """
    locked = drafting.locked(draft)
    locked.state, locked.closed_by, locked.closed_at = DraftState.WITHDRAWN, by, at
    locked.save()
    drafting.record("withdrawn", locked, by=by, at=at, after={"state": locked.state})


@transaction.atomic(durable=True)
def publish(
    draft: OfferDraft, *, seen: str, reason: str, by: User, at: datetime
) -> Offer:
    """Publish a draft as the next version, once, as it was shown.

    Stripe is told its prices afterwards (`price`): whoever wants to buy before that is
    asked to try again.

    Raises:
        DraftMoved: it is not what was seen, or is closed.
        DraftRefused: it cannot be published; its message says why.

    Source: docs/rules.md R36.
    """
    # All open drafts, so that two of one plan are not published beside each other.
    opened = OfferDraft.objects.filter(state=DraftState.OPEN).order_by("pk")
    list(opened.select_for_update().values_list("pk"))
    locked = drafting.locked(draft, seen)
    before = _require_publishable(locked, at=at)
    _publish(locked, before, at=at)
    locked.state, locked.closed_by, locked.closed_at = DraftState.PUBLISHED, by, at
    locked.version = before.version + 1
    locked.save()
    drafting.record(
        "published",
        locked,
        by=by,
        at=at,
        before={"version": before.version, **asdict(_terms_of_offer(before))},
        after={"version": locked.version, "shown": seen, **locked.terms},
        reason=reason,
    )
    return published_as(locked)


def published_as(draft: OfferDraft) -> Offer:
    """Return the version that a published draft became."""
    return _offer(draft, draft.version or 0)


def price(draft: OfferDraft, *, at: datetime) -> None:
    """Let Stripe know the prices of a published draft; safe to repeat.

    Raises:
        StripeUnavailable: ask again.
        PriceDiffers: Stripe has such a price at another amount.
    """
    for wanted in catalogue.prices_of(published_as(draft)):
        stripe_gateway.ensure_price(wanted)
    OfferDraft.objects.filter(pk=draft.pk, priced_at=None).update(priced_at=at)


def to_price(*, limit: int) -> list[OfferDraft]:
    """Return published drafts whose prices Stripe may not know yet."""
    waiting = OfferDraft.objects.filter(state=DraftState.PUBLISHED, priced_at=None)
    return list(waiting.select_related("plan").order_by("pk")[:limit])


def _publish(draft: OfferDraft, before: Offer, *, at: datetime) -> None:
    starts_at, version = draft.starts_at or at, before.version + 1
    if isinstance(before, BlockOffer):
        blocks = BlocksToPublish(version=version, starts_at=starts_at, **draft.terms)
        catalogue.publish_blocks(blocks, currency=settings.CURRENCY)
        return
    entry = PlanToPublish(
        code=before.plan.code,
        family=before.plan.family,
        name=before.plan.name,
        version=version,
        starts_at=starts_at,
        sells_blocks=before.sells_blocks,
        **draft.terms,
    )
    catalogue.publish_plan(
        entry, position=before.plan.position, currency=settings.CURRENCY
    )


def _offer(draft: OfferDraft, version: int) -> Offer:
    if draft.plan_id:
        versions = PlanVersion.objects.select_related("plan")
        return versions.get(plan=draft.plan_id, version=version)
    return BlockOffer.objects.get(version=version)


def _terms_of_offer(offer: Offer) -> PlanTerms | BlockTerms:
    if isinstance(offer, PlanVersion):
        return _terms(offer)
    return BlockTerms(
        credits=offer.credits,
        cents=offer.cents,
        min_blocks=offer.min_blocks,
        max_blocks=offer.max_blocks,
        expires_after_months=offer.expires_after_months,
    )


def _terms(version: PlanVersion) -> PlanTerms:
    return PlanTerms(
        version.cycle_credits, version.month_cents or 0, version.year_cents
    )


def _require_publishable(draft: OfferDraft, *, at: datetime) -> Offer:
    last = last_offer(draft.plan)
    if last is None or last.version != draft.based_on:
        raise DraftRefused(
            _("%(offer)s was published meanwhile. Begin a new draft from it.")
            % {"offer": last}
        )
    if terms_of(draft) == _terms_of_offer(last):
        raise DraftRefused(_("The draft changes nothing: change or withdraw it."))
    _require_start(last, draft.starts_at or at, at=at)
    return last


def _require_start(before: Offer, starts_at: datetime, *, at: datetime) -> None:
    if starts_at < at:
        raise DraftRefused(_("The start has passed. Choose a later one."))
    if starts_at <= before.starts_at:
        raise DraftRefused(
            _("It can begin only after version %(version)s has.")
            % {"version": before.version}
        )


def _require_possible(terms: PlanTerms | BlockTerms) -> None:
    if isinstance(terms, PlanTerms):
        amounts = [terms.month_cents, terms.year_cents]
        credits, is_possible = terms.cycle_credits, True
    else:
        amounts, credits = [terms.cents], terms.credits
        months = terms.expires_after_months
        is_possible = 1 <= terms.min_blocks <= terms.max_blocks <= MAX_BLOCKS and (
            months is None or 1 <= months <= MAX_MONTHS
        )
    is_paid = all(
        cents is None or 1 <= cents <= stripe_gateway.MAX_CENTS for cents in amounts
    )
    if not (is_possible and is_paid and 1 <= credits <= MAX_CREDITS):
        message = _("A price cannot be 0, nor the most in an order below the fewest.")
        raise DraftRefused(message)
