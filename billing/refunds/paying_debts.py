"""Paying in money what is owed in credits, on any plan (R79).

Our row first, committed; then a page of Stripe's under a key made of that row. Return
page, webhook and sweeper all end in `settle_as`: the first one acts, the others read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import auditing, notifying
from billing import customers, stripe_gateway
from billing.core.periods import add_months
from billing.finance import bookings
from billing.models import DebtPayment, DebtPaymentState
from billing.plans import catalogue
from billing.purchases import purchasing
from billing.refunds import debts
from credits import ledger
from credits.models import GrantSource, Wallet

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from billing.stripe_gateway import CheckoutSession

log = structlog.get_logger(__name__)

_FIRST_CHECK_AFTER, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
_PAID = "Paid in money."


class NothingOwed(stripe_gateway.BillingError):
    """There is nothing to be paid (any more)."""


class PaymentInProgress(stripe_gateway.BillingError):
    """Another payment of the debt is being made at this moment."""


def pay(*, account: Account, payer: User, at: datetime) -> DebtPayment:
    """Open a page where all that is owed is paid; return the payment it is for.

    One that is open for what is owed now is gone on with; one for another amount is
    closed first, so that nothing can be paid twice.

    Raises:
        NothingOwed: nothing is, or it was paid just now.
        PaymentInProgress: somebody else begins to pay.
        StripeUnavailable: ask again.
    """
    waiting = open_payment(account)
    owed = debts.owed_by(account.pk)
    if waiting and not (owed and _is_for(waiting, owed, at)):
        _close(waiting, at)
        waiting, owed = None, debts.owed_by(account.pk)
    if not owed or owed.cents <= 0:
        raise NothingOwed(_("Nothing is owed."))
    payment = waiting or _recorded(account, payer, owed, at)
    if not payment.stripe_session_id:
        _open_at_stripe(payment, at)
    return payment


def open_payment(account: Account) -> DebtPayment | None:
    """Return the account's payment of a debt that is not settled yet."""
    return account.debt_payments.filter(state=DebtPaymentState.OPEN).first()


def settle(payment: DebtPayment, *, at: datetime) -> None:
    """Ask Stripe what became of a payment, and act on it.

    Raises:
        StripeUnavailable: ask again.
    """
    if payment.stripe_session_id:
        settle_as(stripe_gateway.checkout_session(payment.stripe_session_id), at=at)
    elif at - payment.opened_at > purchasing.CHECKOUT_LIFE:
        # Nobody was given an address to pay it at.
        still_open = DebtPayment.objects.filter(pk=payment.pk, stripe_session_id=None)
        still_open.update(state=DebtPaymentState.EXPIRED, next_check_at=None)
    payment.refresh_from_db()


@transaction.atomic
def settle_as(session: CheckoutSession, *, at: datetime) -> str | None:
    """Act on what Stripe said of a page where a debt is paid; None: it is no such page.

    Source: docs/rules.md R44, R79.
    """
    payment = (
        DebtPayment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(stripe_session_id=session.id)
        .first()
    )
    if payment is None:
        return None
    if payment.state == DebtPaymentState.PAID:
        return "settled before"
    if session.is_paid:
        return _take_payment(payment, session, at)
    if session.status == "expired" or session.has_failed:
        payment.state, payment.next_check_at = DebtPaymentState.EXPIRED, None
        payment.save()
        return "not completed"
    return "not paid yet"


def due_payments(*, limit: int, at: datetime) -> list[int]:
    """Return the ids of payments that it is time to look after, longest due first."""
    due = DebtPayment.objects.filter(next_check_at__lte=at).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:limit])


def look_after(*, payment_id: int, at: datetime) -> None:
    """Ask about a payment that is due; of many that try, one does.

    Raises:
        StripeUnavailable: it is due again later.
    """
    payment = DebtPayment.objects.get(pk=payment_id)
    unclaimed = DebtPayment.objects.filter(
        pk=payment_id, next_check_at=payment.next_check_at, next_check_at__lte=at
    )
    if unclaimed.update(next_check_at=_next_check(payment, at)):
        settle(payment, at=at)


def _is_for(payment: DebtPayment, owed: debts.Owed, at: datetime) -> bool:
    is_open = at - payment.opened_at < purchasing.CHECKOUT_LIFE
    return is_open and (payment.credits, payment.cents) == (owed.credits, owed.cents)


def _close(payment: DebtPayment, at: datetime) -> None:
    if payment.stripe_session_id:
        stripe_gateway.close_checkout(payment.stripe_session_id)
        settle(payment, at=at)
    else:
        payment.state, payment.next_check_at = DebtPaymentState.EXPIRED, None
        payment.save()


def _recorded(
    account: Account, payer: User, owed: debts.Owed, at: datetime
) -> DebtPayment:
    try:
        with transaction.atomic(durable=True):
            payment = DebtPayment.objects.create(
                account=account,
                payer=payer,
                credits=owed.credits,
                cents=owed.cents,
                currency=owed.currency,
                opened_at=at,
                next_check_at=at + _FIRST_CHECK_AFTER,
            )
            _record("debt_payment.opened", payment, payer, at)
    except IntegrityError as begun:
        message = _("Somebody is about to pay it. Look again in a moment.")
        raise PaymentInProgress(message) from begun
    return payment


def _open_at_stripe(payment: DebtPayment, at: datetime) -> None:
    account = payment.account
    number = purchasing.attempt(payment.opened_at, at=at)
    session = stripe_gateway.open_debt_checkout(
        stripe_gateway.DebtOrder(
            debt_payment=payment.public_id,
            account=account.public_id,
            customer_id=customers.customer_id(
                account, email=payment.payer.email, attempt=number, at=payment.opened_at
            ),
            cents=payment.cents,
            currency=payment.currency,
            description=f"Credits owed by {account.public_id}",
            # From the row, not the clock: a retry must send the very same request.
            expires_at=payment.opened_at + purchasing.CHECKOUT_LIFE,
            return_url=settings.BASE_URL + reverse("billing:debt"),
        ),
        key=f"debt:{payment.pk}:{number}",
    )
    payment.stripe_session_id, payment.checkout_url = session.id, session.url
    payment.save(update_fields=["stripe_session_id", "checkout_url"])


def _take_payment(payment: DebtPayment, session: CheckoutSession, at: datetime) -> str:
    if (session.total_cents, session.currency) != (payment.cents, payment.currency):
        log.error("debt_paid_not_as_asked", payment=payment.public_id, session=session)
        return "not as offered"
    wallet_id = ledger.open_wallet(account_id=payment.account_id, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)  # and lock it
    owed = min(payment.credits, Wallet.objects.get(pk=wallet_id).debt)
    if owed:
        ledger.clear_debt(
            wallet_id=wallet_id,
            credits=owed,
            idempotency_key=f"debt-payment:{payment.pk}",
            actor="debt payment",
            reason=_PAID,
            at=at,
        )
    rest_cents = payment.cents * (payment.credits - owed) // payment.credits
    if owed < payment.credits:
        _grant_rest(payment, payment.credits - owed, rest_cents, wallet_id, at)
    payment.state, payment.next_check_at = DebtPaymentState.PAID, None
    payment.paid_at = min(max(session.paid_at or at, payment.opened_at), at)
    payment.stripe_payment_intent_id = session.payment_intent_id
    payment.save()
    bookings.debt_paid(payment, rest_cents=rest_cents, at=at)
    _record("debt_payment.paid", payment, "stripe", at)
    _tell(payment, at)
    return "debt paid"


def _grant_rest(
    payment: DebtPayment, credits: int, cents: int, wallet_id: int, at: datetime
) -> None:
    # Bought credits paid a part of it while the page was open: the rest was paid for.
    months = catalogue.blocks_in_force(at=at).expires_after_months
    ledger.grant(
        wallet_id=wallet_id,
        source=GrantSource.RESTORE,
        source_key=f"debt-payment:{payment.pk}:rest",
        credits=credits,
        cost_basis_cents=cents,
        effective_at=at,
        expires_at=add_months(at, months) if months else None,
        actor="debt payment",
        reason=payment.public_id,
        at=at,
    )


def _next_check(payment: DebtPayment, at: datetime) -> datetime:
    age = at - payment.opened_at
    return at + min(max(age, _FIRST_CHECK_AFTER), _LONGEST_PAUSE)


def _record(action: str, payment: DebtPayment, actor: User | str, at: datetime) -> None:
    auditing.record(
        action=action,
        actor=actor,
        account=payment.account,
        target=payment.public_id,
        after={"credits": payment.credits, "cents": payment.cents},
        at=at,
    )


def _tell(payment: DebtPayment, at: datetime) -> None:
    notifying.notify(
        kind="debt_paid",
        key=f"debt-payment:{payment.pk}:paid",
        recipients=notifying.billing_recipients(payment.account),
        context={
            "payment": payment,
            "page_url": settings.BASE_URL + reverse("billing:overview"),
            "time_zone": payment.account.time_zone,
        },
        account=payment.account,
        at=at,
    )
