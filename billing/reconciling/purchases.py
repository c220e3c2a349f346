"""Payments for blocks beside our purchases and the credits that they brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import (
    BreakKind,
    PlanChange,
    Purchase,
    PurchaseOrigin,
    PurchaseState,
)
from billing.reconciling.findings import Finding, chunks, grants_from
from credits.models import CreditGrant, GrantSource, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from billing.reconciling.findings import Figures
    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedPayment, BookedSession

_NOT_PAID = (PurchaseState.OPEN, PurchaseState.EXPIRED)
_BOUGHT = (GrantSource.PURCHASE, GrantSource.RELOAD)


def compare(books: Books) -> Iterator[Finding]:
    """Compare both ways: orders, what was paid for them, and what was granted.

    A payment on a page that belongs to no order is told once, as that page.
    """
    orphans = [one for chunk in chunks(books.sessions) for one in _orphans(chunk)]
    for session in orphans:
        yield _orphan(session)
    told = {one.payment_intent_id for one in orphans}
    ours = [one for one in books.payments if one.purchase]
    yield from of_payments(one for one in ours if one.payment_intent_id not in told)
    yield from _not_at_stripe(books, {one.payment_intent_id for one in ours})
    yield from _grants_of_nothing(books.since)


def of_payments(payments: Iterable[BookedPayment]) -> Iterator[Finding]:
    """Compare payments that name an order with that order and its credits."""
    for chunk in chunks(one for one in payments if one.purchase):
        yield from _compare_payments(chunk)


def _orphans(sessions: Sequence[BookedSession]) -> Iterator[BookedSession]:
    purchases: dict[str, str | None] = dict(
        Purchase.objects.filter(
            public_id__in=[one.purchase for one in sessions]
        ).values_list("public_id", "stripe_session_id")
    )
    changes = set(
        PlanChange.objects.filter(
            public_id__in=[one.change for one in sessions if one.change]
        ).values_list("public_id", flat=True)
    )
    for one in sessions:
        # A page whose id was not recorded, because we fell over, is found by its order.
        is_known = purchases.get(one.purchase, "") in (None, one.id)
        is_purchase = bool(one.purchase) and not is_known
        if is_purchase or (one.change and one.change not in changes):
            yield one


def _orphan(session: BookedSession) -> Finding:
    return Finding(
        BreakKind.ORPHAN_SESSION,
        session.id,
        session.opened_at,
        at_stripe={
            "order": session.purchase or session.change,
            "payment": session.payment_intent_id,
            "is_paid": str(session.is_paid),
        },
    )


def _compare_payments(payments: Sequence[BookedPayment]) -> Iterator[Finding]:
    found = Purchase.objects.filter(public_id__in=[one.purchase for one in payments])
    purchases = {one.public_id: one for one in found.select_related("offer")}
    grants = _granted(purchases.values())
    for payment in payments:
        purchase = purchases.get(payment.purchase)
        if difference := _difference(payment, purchase, grants):
            yield difference


def _granted(purchases: Collection[Purchase]) -> dict[str, int]:
    keys = [one.source_key for one in purchases]
    found = CreditGrant.objects.filter(source_key__in=keys)
    return dict(found.values_list("source_key", "granted"))


def _difference(
    payment: BookedPayment, purchase: Purchase | None, grants: Mapping[str, int]
) -> Finding | None:
    """Return how a payment differs from its order: the first thing that does."""
    kind = _kind(payment, purchase, grants)
    if kind is None:
        return None
    at_stripe: Figures = {"cents": payment.amount_cents, "currency": payment.currency}
    if purchase is None:
        return Finding(
            kind,
            payment.payment_intent_id,
            payment.paid_at,
            at_stripe={**at_stripe, "order": payment.purchase},
        )
    is_first = purchase.stripe_payment_intent_id in (None, payment.payment_intent_id)
    return Finding(
        kind,
        payment.payment_intent_id,
        payment.paid_at,
        account_id=purchase.account_id,
        here={
            "order": purchase.public_id,
            "state": purchase.state,
            "cents": purchase.paid_cents,
            "currency": purchase.currency,
            "credits": grants.get(purchase.source_key, 0),
        },
        at_stripe=at_stripe,
        repair=_look_at(purchase, payment) if is_first else ("", ""),
    )


def _kind(
    payment: BookedPayment, purchase: Purchase | None, grants: Mapping[str, int]
) -> BreakKind | None:
    if purchase is None or purchase.state in _NOT_PAID:
        return BreakKind.PAID_WITHOUT_GRANT
    if purchase.stripe_payment_intent_id != payment.payment_intent_id:
        return BreakKind.PAID_WITHOUT_GRANT  # a second payment of the same order
    if purchase.currency != payment.currency:
        return BreakKind.CURRENCY_DIFFERS
    if purchase.paid_cents != payment.amount_cents:
        return BreakKind.AMOUNT_DIFFERS
    granted = grants.get(purchase.source_key)
    # What came when no plan sold blocks any more is returned, not granted (R42).
    if granted is None and purchase.state == PurchaseState.PAID:
        return BreakKind.PAID_WITHOUT_GRANT
    bought = (purchase.blocks_paid or 0) * purchase.offer.credits
    return None if granted in (None, bought) else BreakKind.AMOUNT_DIFFERS


def _look_at(purchase: Purchase, payment: BookedPayment) -> tuple[str, str]:
    if purchase.state not in _NOT_PAID:
        return "", ""
    if purchase.origin == PurchaseOrigin.RELOAD:
        return "payment_intent", payment.payment_intent_id
    session_id = purchase.stripe_session_id
    return ("checkout.session", session_id) if session_id else ("", "")


def _not_at_stripe(books: Books, seen: Collection[str]) -> Iterator[Finding]:
    paid = Purchase.objects.exclude(state__in=_NOT_PAID)
    if books.since:
        paid = paid.filter(paid_at__gte=books.since)
    for one in paid.iterator():
        if one.stripe_payment_intent_id not in seen:
            yield Finding(
                BreakKind.GRANT_WITHOUT_PAYMENT,
                one.stripe_payment_intent_id or one.public_id,
                one.paid_at or one.opened_at,
                account_id=one.account_id,
                here={"order": one.public_id, "cents": one.paid_cents},
            )


def _grants_of_nothing(since: datetime | None) -> Iterator[Finding]:
    """Look for credits that were bought with no payment, or with one of another."""
    for chunk in chunks(grants_from(_BOUGHT, since)):
        named = [one.source_key.removeprefix("purchase:") for one in chunk]
        ids = [int(name) for name in named if name.isdecimal()]
        paid = Purchase.objects.exclude(state__in=_NOT_PAID).filter(pk__in=ids)
        keys = {one.source_key for one in paid}
        yield from _extra([one for one in chunk if one.source_key not in keys])


def _extra(grants: Sequence[CreditGrant]) -> Iterator[Finding]:
    # The entry of a purchase's grant names the order: so a second one is known.
    entries = LedgerEntry.objects.filter(
        wallet__in=[one.wallet_id for one in grants],
        idempotency_key__in=[one.source_key for one in grants],
    )
    orders = dict(entries.values_list("idempotency_key", "reason"))
    paid = set(
        Purchase.objects.exclude(state__in=_NOT_PAID)
        .filter(public_id__in=orders.values())
        .values_list("public_id", flat=True)
    )
    for one in grants:
        order = orders.get(one.source_key, "")
        is_second = order in paid
        yield Finding(
            BreakKind.DOUBLE_GRANT if is_second else BreakKind.GRANT_WITHOUT_PAYMENT,
            one.source_key,
            one.created_at,
            account_id=one.wallet.account_id,
            here={"credits": one.granted, "order": order},
        )
