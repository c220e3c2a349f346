"""Changes of plan: our intent, committed; then Stripe; then what Stripe made of it.

One change is open an account at a time, by a row and not by a held transaction (R39).
`ask` records it and `carry_out` tells Stripe; what has become of it is read off by
`catching_up`. Each may be repeated: Stripe is asked before it is told again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.models import Account
from billing import customers, stripe_gateway
from billing.changes import previewing
from billing.core.transitions import When
from billing.models import (
    ChangeKind,
    ChangeState,
    Consent,
    ConsentKind,
    Interval,
    PlanChange,
)
from billing.plans import returning, subscribing
from billing.purchases import purchasing

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import User
    from billing.changes.previewing import Preview
    from billing.stripe_gateway import StripeSubscription

OPEN = (ChangeState.ASKED, ChangeState.UNPAID)
BY_SCHEDULE = (ChangeKind.DOWNGRADE, ChangeKind.MIGRATE)
CHECKOUT_LIFE = timedelta(hours=1)
# Stripe opens no page that would live for less than 30 minutes.
_OPENED_WITHIN = timedelta(minutes=25)
_FIRST_CHECK_AFTER, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Request:
    """Who confirms a change, on which form, with which words agreed to.

    `comment` says why somebody leaves; without `agreed` nothing was to agree to.
    """

    user: User
    form_key: str
    comment: str = ""
    agreed: Agreement | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The words that were shown, their version, and where they were agreed to."""

    kind: ConsentKind
    text: str
    version: str
    address: str | None


class ChangeInProgress(stripe_gateway.BillingError):
    """Another change of this account is being made (R39)."""

    def __init__(self, change: PlanChange | None) -> None:
        """Remember which one."""
        super().__init__(_("Another change of your plan is being made."))
        self.change = change


class PlanMoved(stripe_gateway.BillingError):
    """The plan is not the one any more that the preview began with (R37)."""


def changes_of(account_id: int) -> QuerySet[PlanChange]:
    """Return an account's changes, newest first, with the plans that they name."""
    return (
        PlanChange.objects.filter(account_id=account_id)
        .select_related(
            "account", "subscription", "from_version__plan", "to_version__plan"
        )
        .order_by("-requested_at", "-pk")
    )


def open_change(account_id: int) -> PlanChange | None:
    """Return the change that is being made or waits for its payment."""
    return changes_of(account_id).filter(state__in=OPEN).first()


def scheduled_change(account_id: int) -> PlanChange | None:
    """Return the change that waits for the end of the paid term."""
    return changes_of(account_id).filter(state=ChangeState.SCHEDULED).first()


def by_form(account_id: int, form_key: str) -> PlanChange | None:
    """Return the change that a form led to before: a double click is no other one."""
    return changes_of(account_id).filter(form_key=form_key).first()


@transaction.atomic(durable=True)
def ask(
    previewed: Preview, request: Request, *, account: Account, at: datetime
) -> PlanChange:
    """Record the intent to change as previewed; the same form is the same change.

    Raises:
        ChangeInProgress: another change of the account is open (R39).
        PlanMoved: what was previewed begins with another plan.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if known := by_form(account.pk, request.form_key):
        return known
    _require_unmoved(previewed)
    change = PlanChange(
        account=account,
        subscription=previewed.subscription,
        kind=ChangeKind(previewed.move),
        timing=previewed.when,
        from_version=previewed.old,
        to_version=previewed.target.version,
        to_interval=previewed.target.interval,
        form_key=request.form_key,
        preview_hash=previewed.hash,
        currency=previewed.currency,
        shown_cents=previewed.due_cents,
        credits_now=previewed.credits_now,
        returned_cents=previewed.returned.cents if previewed.returned else None,
        returned_credits=previewed.returned.credits if previewed.returned else 0,
        prorated_at=previewed.prorated_at,
        requested_by=request.user,
        requested_at=at,
        reason=request.comment,
    )
    begin(change)
    _write_down(change, request)
    return change


def begin(change: PlanChange) -> None:
    """Save the intent to change a plan. Call it under the account's lock.

    Raises:
        ChangeInProgress: see there.
    """
    change.next_check_at = change.requested_at + _FIRST_CHECK_AFTER
    try:
        with transaction.atomic():
            change.save()
    except IntegrityError as taken:
        raise ChangeInProgress(open_change(change.account_id)) from taken


def carry_out(change: PlanChange, *, at: datetime) -> str:
    """Tell Stripe to make a change that was asked for, unless it has heard already.

    Returns the id of the bill that came with it, or "".

    Raises:
        StripeUnavailable: it stays asked for; the sweeper tries again.
    """
    if change.state not in OPEN:
        return ""
    key = f"change:{change.pk}:{purchasing.attempt(change.requested_at, at=at)}"
    if change.kind == ChangeKind.SUBSCRIBE:
        _open_checkout(change, key, at)
        return ""
    fetched = stripe_gateway.subscription(_stripe_id(change))
    if change.state == ChangeState.UNPAID or _is_made(change, fetched):
        return fetched.latest_invoice_id
    is_stale = at - change.requested_at > previewing.VALID_FOR
    # R38: canceling is always allowed, also when Stripe was silent for a day.
    if is_stale and change.kind != ChangeKind.CANCEL:
        # What was shown holds no longer, and Stripe never heard of it; or of half.
        if change.returned_cents:
            stripe_gateway.keep_back(fetched.customer_id, change=change.public_id)
        refuse(change, _("Stripe could not be reached."), at=at)
        return ""
    _release_other(change, fetched, key)
    return _make(change, fetched, key)


def take_back(change: PlanChange, *, at: datetime) -> None:
    """Tell Stripe to forget a scheduled change; the plan goes on (R27, R59).

    Raises:
        StripeUnavailable: it stays scheduled; ask again.
    """
    key = f"undo:{change.pk}:{purchasing.attempt(change.requested_at, at=at)}"
    fetched = stripe_gateway.subscription(_stripe_id(change))
    if change.kind == ChangeKind.CANCEL and fetched.cancel_at:
        stripe_gateway.go_on(fetched.id, key=key)
    elif change.kind == ChangeKind.DOWNGRADE and fetched.schedule_id:
        stripe_gateway.release_schedule(fetched.schedule_id, key=key)


def give_up(change: PlanChange, *, at: datetime) -> str:
    """Let an open change that waits for a payment wait no more.

    Its checkout page is closed, or its bill made void, whichever it has; returns the
    id of the bill, or "".

    Raises:
        StripeUnavailable: ask again.
    """
    if change.kind == ChangeKind.SUBSCRIBE:
        if change.stripe_session_id:
            stripe_gateway.close_checkout(change.stripe_session_id)
        else:
            refuse(change, _("It was given up."), at=at)
        return ""
    fetched = stripe_gateway.subscription(_stripe_id(change))
    if change.state != ChangeState.UNPAID or not fetched.pending_lookup_key:
        return ""
    key = f"give-up:{change.pk}:{purchasing.attempt(change.requested_at, at=at)}"
    stripe_gateway.void_invoice(fetched.latest_invoice_id, key=key)
    return fetched.latest_invoice_id


@transaction.atomic
def refuse(change: PlanChange, reason: str, *, at: datetime) -> None:
    """Close a change that Stripe was never told of."""
    Account.objects.select_for_update(no_key=True).get(pk=change.account_id)
    change.refresh_from_db()
    if change.state == ChangeState.ASKED and not change.stripe_session_id:
        close(change, ChangeState.REFUSED, reason=reason, at=at)


def close(
    change: PlanChange, state: ChangeState, *, at: datetime, reason: str = ""
) -> None:
    """End a change: done, taken back or not made. Call it under the account's lock."""
    change.state, change.closed_at, change.next_check_at = state, at, None
    change.reason = reason or change.reason
    change.save()
    auditing.record(
        action=f"plan_change.{state.lower()}",
        actor="stripe",
        account=change.account,
        target=change.public_id,
        after={"plan": str(change.to_version)},
        reason=reason,
        at=at,
    )


def next_check(change: PlanChange, *, at: datetime) -> datetime:
    """Return when to ask Stripe again: the older the change, the less often."""
    age = at - change.requested_at
    return at + min(max(age, _FIRST_CHECK_AFTER), _LONGEST_PAUSE)


def lookup_key(change: PlanChange) -> str:
    """Return the key of the price that a change brings."""
    return change.to_version.lookup_key(Interval(change.to_interval))


def _require_unmoved(previewed: Preview) -> None:
    then, live = (
        previewed.subscription,
        subscribing.live_subscription(previewed.account_id),
    )
    facts = ("pk", "plan_version_id", "interval", "cancel_at")
    if any(getattr(then, fact, None) != getattr(live, fact, None) for fact in facts):
        message = f"The plan of account {previewed.account_id} is another one now."
        raise PlanMoved(message)


def _write_down(change: PlanChange, request: Request) -> None:
    if agreed := request.agreed:
        Consent.objects.create(
            account=change.account,
            user=request.user,
            kind=agreed.kind,
            version=agreed.version,
            text=agreed.text,
            target=change.public_id,
            address=agreed.address,
            given_at=change.requested_at,
        )
    auditing.record(
        action="plan_change.asked",
        actor=request.user,
        account=change.account,
        target=change.public_id,
        before={"plan": str(change.from_version)},
        after={"plan": str(change.to_version), "interval": change.to_interval},
        reason=change.reason,
        at=change.requested_at,
    )


def _stripe_id(change: PlanChange) -> str:
    return (change.subscription and change.subscription.stripe_subscription_id) or ""


def _is_made(change: PlanChange, fetched: StripeSubscription) -> bool:
    """Whether Stripe has heard: a lost answer must not make a change twice."""
    key = lookup_key(change)
    if change.kind == ChangeKind.UPGRADE:
        return key in {fetched.lookup_key, fetched.pending_lookup_key}
    if change.kind in BY_SCHEDULE:
        return key == fetched.scheduled_lookup_key
    is_coming = change.timing == When.CYCLE_END and fetched.cancel_at
    return bool(is_coming or fetched.ended_at)


def _make(change: PlanChange, fetched: StripeSubscription, key: str) -> str:
    if change.kind == ChangeKind.CANCEL:
        _end(change, fetched, key)
        return ""
    price_id = stripe_gateway.price_id(lookup_key(change))
    if change.kind in BY_SCHEDULE:
        stripe_gateway.schedule_price(
            fetched,
            price_id=price_id,
            is_yearly=change.to_interval == Interval.YEAR,
            begins_at=change.takes_effect_at,
            key=key,
        )
        return ""
    return _move(change, fetched, price_id, key)


def _move(
    change: PlanChange, fetched: StripeSubscription, price_id: str, key: str
) -> str:
    move = stripe_gateway.PriceMove(
        subscription_id=fetched.id,
        item_id=fetched.item_id,
        price_id=price_id,
        prorated_at=change.prorated_at,
        given_back=returning.line_of(
            change.returned_cents,
            customer_id=fetched.customer_id,
            currency=change.currency,
        ),
    )
    stripe_gateway.give_back(move, change=change.public_id, key=key)
    return stripe_gateway.move_price(move, key=key)


def _end(change: PlanChange, fetched: StripeSubscription, key: str) -> None:
    is_now = change.timing == When.NOW
    end = stripe_gateway.end_now if is_now else stripe_gateway.end_with_term
    end(fetched.id, comment=change.reason, key=key)


def _release_other(change: PlanChange, fetched: StripeSubscription, key: str) -> None:
    # A scheduled downgrade would undo an upgrade, and outlive a cancellation (R25).
    if fetched.schedule_id and change.kind not in BY_SCHEDULE:
        stripe_gateway.release_schedule(fetched.schedule_id, key=f"{key}:release")


def _open_checkout(change: PlanChange, key: str, at: datetime) -> None:
    if change.stripe_session_id:
        return
    if at - change.requested_at > _OPENED_WITHIN:
        refuse(change, _("Stripe could not be reached."), at=at)
        return
    session = stripe_gateway.open_plan_checkout(_plan_order(change, at), key=key)
    PlanChange.objects.filter(pk=change.pk, stripe_session_id=None).update(
        stripe_session_id=session.id, checkout_url=session.url
    )
    change.refresh_from_db()


def _plan_order(change: PlanChange, at: datetime) -> stripe_gateway.PlanOrder:
    buyer = change.requested_by
    return stripe_gateway.PlanOrder(
        change=change.public_id,
        account=change.account.public_id,
        customer_id=customers.customer_id(
            change.account,
            email=buyer.email if buyer else "",
            attempt=purchasing.attempt(change.requested_at, at=at),
            at=change.requested_at,
        ),
        price_id=stripe_gateway.price_id(lookup_key(change)),
        # From the row, not the clock: a retry must send the very same request.
        expires_at=change.requested_at + CHECKOUT_LIFE,
        success_url=settings.BASE_URL
        + reverse("billing:change", args=[change.public_id]),
        cancel_url=settings.BASE_URL + reverse("billing:plan"),
    )
