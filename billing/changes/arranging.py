"""Changes of plan from end to end: what pages and the sweeper call.

A change is confirmed as it was shown, recorded, told to Stripe, and looked at at once;
whatever is left of that when somebody falls over, the sweeper goes on with.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing import stripe_gateway
from billing.changes import changing, leaving, previewing
from billing.models import ChangeKind, PlanChange, RefundState
from billing.plans import subscribing
from billing.refunds import refunding
from billing.webhooks import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from billing.changes.changing import Request
    from billing.changes.previewing import Preview


def shown_again(token: str, *, account: Account, at: datetime) -> Preview:
    """Return what a form showed, computed anew: what is to be confirmed now.

    A checkout page that is still open for another plan is closed first, and an upgrade
    that waits for its payment gives way to canceling (R38).

    Raises:
        ChangeRefused: it cannot be had (any more).
        PreviewDiffers: it is something else, or was shown too long ago (R37).
        StripeUnavailable: ask again.
    """
    shown = previewing.read(token, account_id=account.pk)
    waiting = changing.open_change(account.pk)
    is_canceling = shown.plan_code == subscribing.FREE
    if waiting and (waiting.kind == ChangeKind.SUBSCRIBE or is_canceling):
        give_up(waiting, at=at)
    return previewing.again(account.pk, shown, at=at)


def make(
    previewed: Preview, request: Request, *, account: Account, at: datetime
) -> PlanChange:
    """Record a change as it was shown, and make it as far as Stripe answers.

    The same form is the same change, in whatever state it is by now.

    Raises:
        PreviewDiffers: the plan changed in between (R37).
        ChangeInProgress: another change is being made (R39).
        StripeUnavailable: nothing was recorded; ask again.

    Source: docs/rules.md R37, R39.
    """
    try:
        change = changing.ask(previewed, request, account=account, at=at)
    except changing.PlanMoved as moved:
        now = previewing.preview(account.pk, previewed.target, at=at)
        raise previewing.PreviewDiffers(now) from moved
    carry_on(change, at=at)
    return change


def carry_on(change: PlanChange, *, at: datetime) -> None:
    """Bring an open change as far as Stripe answers; the sweeper does the rest."""
    if leaving.ends_here(change):
        leaving.go_on(change, at=at)
        return
    with suppress(stripe_gateway.StripeUnavailable):
        invoice_id = _carry_out(change, at)
        if change.kind != ChangeKind.SUBSCRIBE:  # nobody can have paid there yet
            look(change, invoice_id=invoice_id, at=at)
    change.refresh_from_db()


def take_back(change: PlanChange, *, at: datetime) -> None:
    """Take a scheduled change back (R27, R59).

    Raises:
        StripeUnavailable: it stays scheduled; ask again.
    """
    if leaving.ends_here(change):
        leaving.take_back(change, at=at)
        return
    changing.take_back(change, at=at)
    look(change, at=at)


def give_up(change: PlanChange, *, at: datetime) -> None:
    """Drop a change that waits for a payment; if it was paid just now, it is made.

    Raises:
        StripeUnavailable: ask again.
    """
    if leaving.ends_here(change):
        changing.refuse(change, _("It was given up."), at=at)
        return
    invoice_id = changing.give_up(change, at=at)
    look(change, invoice_id=invoice_id, at=at)


def look(change: PlanChange, *, at: datetime, invoice_id: str = "") -> None:
    """Ask Stripe what has become of a change, through the inbox."""
    subscription = change.subscription
    if change.kind == ChangeKind.SUBSCRIBE:
        _look_at("checkout.session", change.stripe_session_id, at)
    elif subscription:
        _look_at("subscription", subscription.stripe_subscription_id, at)
        _look_at("invoice", invoice_id, at)


def due_changes(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of changes that it is time to look after, longest due first."""
    due = PlanChange.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after_change(*, change_id: int, at: datetime) -> None:
    """Bring a change that is due a step further; of many that try, one does.

    Raises:
        StripeUnavailable: it is due again later.
    """
    change = PlanChange.objects.select_related(
        *("account", "subscription", "requested_by"),
        *("from_version__plan", "to_version__plan"),
    ).get(pk=change_id)
    # Its time moves forward before the work, so that failing cannot spin.
    unclaimed = PlanChange.objects.filter(
        pk=change_id, next_check_at=change.next_check_at, next_check_at__lte=at
    )
    if not unclaimed.update(next_check_at=changing.next_check(change, at=at)):
        return
    if leaving.ends_here(change):
        leaving.go_on(change, at=at)
    else:
        look(change, invoice_id=_carry_out(change, at), at=at)


def _carry_out(change: PlanChange, at: datetime) -> str:
    if change.kind == ChangeKind.CANCEL and not _is_given_back(change, at):
        return ""
    return changing.carry_out(change, at=at)


def _is_given_back(change: PlanChange, at: datetime) -> bool:
    """Whether the money that goes back with a plan's end has gone: it goes first (R65).

    If it cannot, the plan goes on.
    """
    refunds = refunding.asked_with(change.account_id, change.form_key)
    for refund in refunds.filter(state=RefundState.ASKED, next_check_at__lte=at):
        refunding.look_after(refund_id=refund.pk, at=at)
    states = set(refunds.values_list("state", flat=True))
    if RefundState.FAILED in states:
        changing.refuse(change, _("A refund was not made."), at=at)
    return not states & {RefundState.ASKED, RefundState.FAILED}


def _look_at(kind: str, object_id: str | None, at: datetime) -> None:
    if object_id:
        inbox.look_again(object_kind=kind, object_id=object_id, at=at)
