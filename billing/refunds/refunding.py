"""Refunds that somebody of the staff asks for, or the portal itself (R42).

First our row, committed; then Stripe, under a key made of that row; then Stripe's
answer, which is applied as if a webhook had told it. So every step can be repeated.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.templatetags import units
from billing import payments, stripe_gateway
from billing.core.refunds import Effect, effect_of, unspent_cents
from billing.models import CHARGED_BACK, Dispute, Refund, RefundState
from billing.payments import PaymentKind
from billing.purchases import purchasing
from billing.refunds import figures as refund_figures
from billing.refunds import taking_back
from credits import ledger

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import User
    from billing.core.refunds import Paid
    from billing.payments import Payment


class Extent(StrEnum):
    """How much of a payment goes back."""

    UNSPENT = "unspent"  # R76, R77: what nobody used, at what was paid for it
    ALL = "all"  # R78: all that is left, whatever was used
    AMOUNT = "amount"  # R80: so much


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What a refund would give back, and take, as things stand."""

    paid: Paid
    cents: int
    takes_all_left: bool
    effect: Effect

    @property
    def shown(self) -> str:
        """Return what a form carries, so that only what was shown is done (R37)."""
        figures = (self.cents, *astuple(self.effect))
        return ":".join(str(figure) for figure in figures)


class RefundRefused(stripe_gateway.BillingError):
    """This cannot be refunded. Nothing was recorded."""


def preview(
    payment: Payment, extent: Extent, *, cents: int | None = None, at: datetime
) -> RefundPreview:
    """Return what refunding a payment would do now; `cents` is for AMOUNT.

    Raises:
        RefundRefused: there is nothing left of it to give back, or not that much; or
            the bank has taken it back already.

    Source: docs/rules.md R76, R77, R78, R80, R82.
    """
    # What has expired is not there to be shown.
    wallet_id = ledger.open_wallet(account_id=payment.account.pk, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)
    payment = payments.payment_of(payment.payment_intent_id) or payment
    paid = refund_figures.paid_by(payment)
    asked = {
        Extent.UNSPENT: unspent_cents(paid),
        Extent.ALL: paid.left_cents,
        Extent.AMOUNT: cents or 0,
    }[extent]
    _require_possible(payment, paid, asked)
    takes_all_left = extent is not Extent.AMOUNT
    effect = effect_of(paid, cents=asked, takes_all_left=takes_all_left)
    return RefundPreview(paid, asked, takes_all_left, effect)


def ask(
    payment: Payment,
    previewed: RefundPreview,
    *,
    by: User,
    reason: str,
    form_key: str,
    at: datetime,
) -> Refund:
    """Refund what was previewed, as far as Stripe answers; the sweeper does the rest.

    The same form is the same refund, in whatever state it is by now.

    Raises:
        RefundRefused: another refund left less than that to give back.
    """
    with transaction.atomic(durable=True):
        refund = record(
            payment, previewed, by=by, reason=reason, form_key=form_key, at=at
        )
    go_on(refund, at=at)
    return refund


def record(
    payment: Payment,
    previewed: RefundPreview,
    *,
    by: User,
    reason: str,
    form_key: str,
    at: datetime,
) -> Refund:
    """Write an intent down, in a transaction of the caller's; `ask` says the rest.

    Raises:
        RefundRefused: see there.
    """
    return _recorded(
        payment,
        Refund(
            **payment.row,
            account=payment.account,
            asked_key=f"form:{form_key}",
            amount_cents=previewed.cents,
            currency=payment.currency,
            takes_all_left=previewed.takes_all_left,
            requested_by=by,
            reason=reason,
            asked_at=at,
            next_check_at=at + purchasing.SAME_KEY_FOR,
        ),
    )


def go_on(refund: Refund, *, at: datetime) -> None:
    """Bring a refund as far as Stripe answers; the sweeper does the rest."""
    if refund.state == RefundState.ASKED:
        with suppress(stripe_gateway.StripeUnavailable):
            carry_out(refund, at=at)
    refund.refresh_from_db()


def asked_with(account_id: int, form_key: str) -> QuerySet[Refund]:
    """Return the refunds that a form asked for beside something else.

    Their own keys begin with that form's.
    """
    return Refund.objects.filter(
        account_id=account_id, asked_key__startswith=f"form:{form_key}:"
    )


def due_refunds(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of refunds that it is time to look after, longest due first."""
    due = Refund.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after(*, refund_id: int, at: datetime) -> None:
    """Bring a refund that is due a step further; of many that try, one does.

    Raises:
        StripeUnavailable: it is due again later.
    """
    refund = Refund.objects.select_related("purchase", "invoice", "debt_payment").get(
        pk=refund_id
    )
    # Its time moves forward before the work, so that failing cannot spin.
    unclaimed = Refund.objects.filter(
        pk=refund_id, next_check_at=refund.next_check_at, next_check_at__lte=at
    )
    if unclaimed.update(next_check_at=at + purchasing.SAME_KEY_FOR):
        carry_out(refund, at=at)


def carry_out(refund: Refund, *, at: datetime) -> None:
    """Ask Stripe for a refund, or how it stands by now, and act on the answer.

    Raises:
        StripeUnavailable: ask again.
    """
    if refund.credits_waiting:
        taking_back.take_waiting(refund, at=at)
    if refund.stripe_refund_id:
        fetched = stripe_gateway.refund(refund.stripe_refund_id)
        taking_back.apply_refund(fetched, at=at)
    elif refund.state == RefundState.ASKED:
        _ask_stripe(refund, at)


def _ask_stripe(refund: Refund, at: datetime) -> None:
    intent_id = refund.row.stripe_payment_intent_id or ""
    number = purchasing.attempt(refund.asked_at, at=at)
    # A try that was not heard of may have been made, and its key be forgotten.
    if number > 1 and not _is_still_asked(refund, intent_id, at):
        return
    try:
        made = stripe_gateway.make_refund(
            intent_id,
            cents=refund.amount_cents,
            refund=refund.public_id,
            key=f"refund:{refund.pk}:{number}",
        )
    except stripe_gateway.RefundRefused as refused:
        # Somebody was quicker, in Stripe's dashboard for instance; or the bank was.
        if _is_still_asked(refund, intent_id, at):
            taking_back.give_up(refund, str(refused), at=at)
        return
    taking_back.apply_refund(made, at=at)


def _is_still_asked(refund: Refund, intent_id: str, at: datetime) -> bool:
    taking_back.apply_refunds(stripe_gateway.refunds_of(intent_id), at=at)
    return Refund.objects.filter(pk=refund.pk, state=RefundState.ASKED).exists()


def _recorded(payment: Payment, intent: Refund) -> Refund:
    """Save an intent, or return the one that the same form led to before."""
    payments.lock(payment)
    known = Refund.objects.filter(asked_key=intent.asked_key).first()
    if known:
        return known
    going_back = Refund.objects.filter(**payment.row).exclude(state=RefundState.FAILED)
    spoken_for = going_back.aggregate(cents=Sum("amount_cents"))["cents"] or 0
    if spoken_for + intent.amount_cents > payment.paid_cents:
        raise RefundRefused(_("Another refund of this payment leaves less than that."))
    intent.save()
    auditing.record(
        action="refund.asked",
        actor=intent.requested_by or "system",
        account=intent.account,
        target=intent.public_id,
        after={"payment": payment.public_id, "cents": intent.amount_cents},
        reason=intent.reason,
        at=intent.asked_at,
    )
    return intent


def _require_possible(payment: Payment, paid: Paid, cents: int) -> None:
    if _is_charged_back(payment):
        raise RefundRefused(_("The bank has taken this payment back: it is disputed."))
    if paid.left_cents == 0:
        raise RefundRefused(_("All of this payment was refunded before."))
    if cents > paid.left_cents:
        message = _("That is more than is left of this payment: type at most %(left)s.")
        left = units.money(paid.left_cents, payment.currency)
        raise RefundRefused(message % {"left": left})
    if cents < 1:
        raise RefundRefused(_("Nothing of it is unspent, so nothing would go back."))


def _is_charged_back(payment: Payment) -> bool:
    if payment.kind is PaymentKind.DEBT:
        return False
    return Dispute.objects.filter(**payment.row, status__in=CHARGED_BACK).exists()
