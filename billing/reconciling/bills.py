"""Bills at Stripe beside ours, and the months and upgrades that they paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q

from billing.models import (
    BreakKind,
    ChangeState,
    Cycle,
    Invoice,
    InvoiceStatus,
    PlanChange,
)
from billing.plans import disputed
from billing.reconciling.findings import Finding, chunks, grants_from
from credits.models import CreditGrant, GrantSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from billing.reconciling.reading import Books
    from billing.stripe_gateway import BookedInvoice

_OF_ITSELF = ("subscription_create", "subscription_cycle")
# Months that would begin at a plan's end or later never come.
_WHILE_IT_LIVED = (
    Q(subscription__ended_at=None) | Q(subscription__ended_at__gt=F("starts_at"))
) & (Q(subscription__cancel_at=None) | Q(subscription__cancel_at__gt=F("starts_at")))


def compare(books: Books, *, at: datetime) -> Iterator[Finding]:
    """Compare both ways: bills for plans, and the credits that they brought."""
    yield from of_invoices(books.invoices)
    yield from _not_at_stripe(books.since, {one.id for one in books.invoices})
    yield from _terms_without_months(books.since)
    yield from _months_without_credits(books.since, at)
    yield from _credits_without_months(books.since)
    yield from _upgrades(books.since)


def of_invoices(invoices: Iterable[BookedInvoice]) -> Iterator[Finding]:
    """Compare bills for plans of ours with our rows of them."""
    for chunk in chunks(one for one in invoices if one.account):
        yield from _compare_invoices(chunk)


def _compare_invoices(invoices: Sequence[BookedInvoice]) -> Iterator[Finding]:
    found = Invoice.objects.filter(stripe_invoice_id__in=[one.id for one in invoices])
    known = {one.stripe_invoice_id: one for one in found}
    for theirs in invoices:
        ours = known.get(theirs.id)
        kind = _kind(theirs, ours)
        if kind is None:
            continue
        yield Finding(
            kind,
            theirs.id,
            theirs.created_at,
            account_id=ours.account_id if ours else None,
            here=_figures(ours) if ours else {},
            at_stripe={
                "status": theirs.status.upper(),
                "cents": theirs.total_cents,
                "due_cents": theirs.due_cents,
                "currency": theirs.currency,
            },
            repair=("invoice", theirs.id),
        )


def _kind(theirs: BookedInvoice, ours: Invoice | None) -> BreakKind | None:
    if ours is None:
        return _status_kind(theirs.status, "")
    if theirs.currency != ours.currency:
        return BreakKind.CURRENCY_DIFFERS
    if (theirs.total_cents, theirs.due_cents) != (ours.total_cents, ours.due_cents):
        return BreakKind.AMOUNT_DIFFERS
    return _status_kind(theirs.status, ours.status)


def _status_kind(theirs: str, ours: str) -> BreakKind | None:
    if theirs.upper() == ours:
        return None
    if theirs == "paid":
        return BreakKind.PAID_WITHOUT_GRANT
    if ours == InvoiceStatus.PAID:
        return BreakKind.GRANT_WITHOUT_PAYMENT
    return BreakKind.INVOICE_DIFFERS


def _figures(ours: Invoice) -> dict[str, str | int | None]:
    return {
        "status": ours.status,
        "cents": ours.total_cents,
        "due_cents": ours.due_cents,
        "currency": ours.currency,
    }


def _not_at_stripe(since: datetime | None, seen: Collection[str]) -> Iterator[Finding]:
    invoices = Invoice.objects.exclude(status=InvoiceStatus.DRAFT)
    if since:
        invoices = invoices.filter(created_at__gte=since)
    for one in invoices.iterator():
        if one.stripe_invoice_id not in seen:
            is_paid = one.status == InvoiceStatus.PAID
            yield Finding(
                BreakKind.GRANT_WITHOUT_PAYMENT
                if is_paid
                else BreakKind.INVOICE_DIFFERS,
                one.stripe_invoice_id,
                one.created_at,
                account_id=one.account_id,
                here=_figures(one),
            )


def _terms_without_months(since: datetime | None) -> Iterator[Finding]:
    terms = Invoice.objects.filter(
        status=InvoiceStatus.PAID, reason__in=_OF_ITSELF, total_cents__gt=0, cycles=None
    )
    for one in terms.filter(paid_at__gte=since) if since else terms:
        yield Finding(
            BreakKind.PAID_WITHOUT_GRANT,
            one.stripe_invoice_id,
            one.created_at,
            account_id=one.account_id,
            here=_figures(one) | {"months": 0},
            at_stripe={"status": "PAID"},
        )


def _months_without_credits(since: datetime | None, at: datetime) -> Iterator[Finding]:
    """Look for paid months that have begun, and whose credits are not there."""
    # R85: months of a year that a bank asks back wait, or never come.
    due = disputed.PAYMENT_STANDS | Q(granted_at__isnull=False)
    begun = Cycle.objects.filter(
        _WHILE_IT_LIVED, due, starts_at__lte=at, credits__gt=0
    ).select_related("subscription", "invoice")
    for chunk in chunks(begun.filter(starts_at__gte=since) if since else begun):
        keys = [one.source_key for one in chunk]
        found = CreditGrant.objects.filter(source_key__in=keys)
        granted = dict(found.values_list("source_key", "granted"))
        for one in chunk:
            credits = granted.get(one.source_key)
            if credits != one.credits:
                yield _wrong_month(one, credits)


def _wrong_month(cycle: Cycle, granted: int | None) -> Finding:
    is_missing = granted is None
    return Finding(
        BreakKind.PAID_WITHOUT_GRANT if is_missing else BreakKind.AMOUNT_DIFFERS,
        cycle.source_key,
        max(cycle.starts_at, cycle.paid_at),
        account_id=cycle.subscription.account_id,
        here={"credits": granted, "paid_credits": cycle.credits},
        at_stripe={"invoice": cycle.invoice.stripe_invoice_id if cycle.invoice else ""},
    )


def _credits_without_months(since: datetime | None) -> Iterator[Finding]:
    for chunk in chunks(grants_from([GrantSource.PLAN], since)):
        named = [one.source_key.removeprefix("cycle:") for one in chunk]
        ids = [int(name) for name in named if name.isdecimal()]
        cycles = Cycle.objects.filter(pk__in=ids, granted_at__isnull=False)
        keys = {one.source_key for one in cycles}
        yield from _extra([one for one in chunk if one.source_key not in keys])


def _extra(grants: Sequence[CreditGrant]) -> Iterator[Finding]:
    months = set(
        Cycle.objects.filter(
            granted_at__isnull=False,
            subscription__account__in=[one.wallet.account_id for one in grants],
            starts_at__in=[one.effective_at for one in grants],
        ).values_list("subscription__account", "starts_at")
    )
    for one in grants:
        is_second = (one.wallet.account_id, one.effective_at) in months
        yield Finding(
            BreakKind.DOUBLE_GRANT if is_second else BreakKind.GRANT_WITHOUT_PAYMENT,
            one.source_key,
            one.created_at,
            account_id=one.wallet.account_id,
            here={"credits": one.granted},
        )


def _upgrades(since: datetime | None) -> Iterator[Finding]:
    """Look for credits of upgrades that are not done, and the other way round."""
    made = PlanChange.objects.filter(state=ChangeState.DONE, credits_now__gt=0)
    if since:
        made = made.filter(closed_at__gte=since)
    for changes in chunks(made):
        keys = [one.source_key for one in changes]
        found = CreditGrant.objects.filter(source_key__in=keys)
        granted = set(found.values_list("source_key", flat=True))
        for one in changes:
            if one.source_key not in granted:
                yield _unpaid_upgrade(one)
    for chunk in chunks(grants_from([GrantSource.UPGRADE], since)):
        ids = [one.source_key.removeprefix("change:") for one in chunk]
        done = PlanChange.objects.filter(
            state=ChangeState.DONE, pk__in=[int(pk) for pk in ids if pk.isdecimal()]
        )
        keys_done = {one.source_key for one in done}
        yield from _extra([one for one in chunk if one.source_key not in keys_done])


def _unpaid_upgrade(change: PlanChange) -> Finding:
    return Finding(
        BreakKind.PAID_WITHOUT_GRANT,
        change.public_id,
        change.closed_at or change.requested_at,
        account_id=change.account_id,
        here={"credits": 0, "paid_credits": change.credits_now},
    )
