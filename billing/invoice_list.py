"""The invoices page: each bill with what it granted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max

from billing.models import Invoice, InvoiceStatus
from credits.models import EntryKind, GrantDraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from accounts.models import Account

PAGE_SIZE = 25
_LEVELS = {
    InvoiceStatus.DRAFT: "neutral",
    InvoiceStatus.OPEN: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.VOID: "neutral",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """One bill: what it says, and the credits that came with it so far.

    `before_seq` leads to the newest of their entries in the statement.
    """

    id: int
    number: str
    created_at: datetime
    status: InvoiceStatus
    status_label: str
    level: str
    total_cents: int
    due_cents: int
    currency: str
    credits: int
    before_seq: int | None
    can_be_paid: bool


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """Some bills, newest first, and where the older ones begin."""

    invoices: tuple[ListedInvoice, ...]
    years: tuple[int, ...]
    next_before: int | None


def invoices_of(
    account: Account, *, year: int | None = None, before: int | None = None
) -> InvoicePage:
    """Return an account's bills, newest first: of one year, before one, if asked.

    A bill that Stripe still prepares is not shown yet.
    """
    ours = account.invoices.exclude(status=InvoiceStatus.DRAFT)
    years = ours.dates("created_at", "year", order="DESC")
    found = ours.filter(created_at__year=year) if year else ours
    if before:
        found = found.filter(pk__lt=before)
    newest = found.order_by("-pk").select_related("change").prefetch_related("cycles")
    rows = list(newest[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    granted = _granted(shown)
    return InvoicePage(
        invoices=tuple(_listed(invoice, granted) for invoice in shown),
        years=tuple(day.year for day in years),
        next_before=shown[-1].pk if len(rows) > PAGE_SIZE else None,
    )


def _granted(invoices: Sequence[Invoice]) -> Mapping[int, tuple[int, int]]:
    """Return for each bill its credits and the number of their latest entry."""
    keys = {key: invoice.pk for invoice in invoices for key in _source_keys(invoice)}
    drawn = (
        GrantDraw.objects.filter(
            grant__source_key__in=keys, entry__kind=EntryKind.GRANT
        )
        .values_list("grant__source_key", "grant__granted")
        .annotate(seq=Max("entry__seq"))
    )
    totals: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for key, credits, seq in drawn:
        before, latest = totals[keys[key]]
        totals[keys[key]] = before + credits, max(latest, seq)
    return totals


def _source_keys(invoice: Invoice) -> Iterable[str]:
    yield from (cycle.source_key for cycle in invoice.cycles.all())
    if change := getattr(invoice, "change", None):
        yield change.source_key


def _listed(invoice: Invoice, granted: Mapping[int, tuple[int, int]]) -> ListedInvoice:
    status = InvoiceStatus(invoice.status)
    credits, latest_seq = granted.get(invoice.pk, (0, 0))
    return ListedInvoice(
        id=invoice.pk,
        number=invoice.number,
        created_at=invoice.created_at,
        status=status,
        status_label=str(status.label),
        level=_LEVELS[status],
        total_cents=invoice.total_cents,
        due_cents=invoice.due_cents,
        currency=invoice.currency,
        credits=credits,
        before_seq=latest_seq + 1 if latest_seq else None,
        can_be_paid=status is InvoiceStatus.OPEN,
    )
