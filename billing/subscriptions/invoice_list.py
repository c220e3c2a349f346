"""The invoices page: each bill with what it granted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Max

from billing.models import Invoice, InvoiceStatus
from credits.models import EntryKind, GrantDraw
from credits.spreadsheets import Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Account
    from credits.spreadsheets import Value

PAGE_SIZE = 25
_LEVELS = {
    InvoiceStatus.DRAFT: "neutral",
    InvoiceStatus.OPEN: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.VOID: "neutral",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}


COLUMNS = (
    Column("Number"),
    Column("Date", ColumnKind.DAY),
    Column("Status"),
    Column("Net", ColumnKind.CENTS),
    Column("Tax", ColumnKind.CENTS),
    Column("Total", ColumnKind.CENTS),
    Column("Due", ColumnKind.CENTS),
    Column("Currency"),
    Column("Paid", ColumnKind.DAY),
    Column("Credits granted", ColumnKind.NUMBER),
    Column("PDF"),
)


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
    net_cents: int
    tax_cents: int
    total_cents: int
    due_cents: int
    currency: str
    paid_at: datetime | None
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
    found = _invoices(account, year)
    years = _invoices(account, None).order_by().dates("created_at", "year", "DESC")
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    return InvoicePage(
        invoices=_listed(shown),
        years=tuple(day.year for day in years),
        next_before=shown[-1].pk if len(rows) > PAGE_SIZE else None,
    )


def table_of(
    account: Account, *, year: int | None, address_of: Callable[[int], str]
) -> Iterator[tuple[Value, ...]]:
    """Yield all bills of an account, or those of a year, as rows below COLUMNS.

    `address_of` leads from the id of a bill to its PDF. Days are of the account's zone.
    """
    zone = ZoneInfo(account.time_zone)
    for one in _listed(_invoices(account, year)):
        yield (
            one.number,
            one.created_at.astimezone(zone).date(),
            one.status_label,
            one.net_cents,
            one.tax_cents,
            one.total_cents,
            one.due_cents,
            one.currency.upper(),
            one.paid_at and one.paid_at.astimezone(zone).date(),
            one.credits,
            address_of(one.id),
        )


def _invoices(account: Account, year: int | None) -> QuerySet[Invoice]:
    ours = account.invoices.exclude(status=InvoiceStatus.DRAFT)
    found = ours.filter(created_at__year=year) if year else ours
    return found.order_by("-pk").select_related("change").prefetch_related("cycles")


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


def _listed(invoices: Iterable[Invoice]) -> tuple[ListedInvoice, ...]:
    rows = list(invoices)
    granted = _granted(rows)
    return tuple(_with_credits(invoice, granted) for invoice in rows)


def _with_credits(
    invoice: Invoice, granted: Mapping[int, tuple[int, int]]
) -> ListedInvoice:
    status = InvoiceStatus(invoice.status)
    credits, latest_seq = granted.get(invoice.pk, (0, 0))
    return ListedInvoice(
        id=invoice.pk,
        number=invoice.number,
        created_at=invoice.created_at,
        status=status,
        status_label=str(status.label),
        level=_LEVELS[status],
        net_cents=invoice.net_cents,
        tax_cents=invoice.tax_cents,
        total_cents=invoice.total_cents,
        due_cents=invoice.due_cents,
        currency=invoice.currency,
        paid_at=invoice.paid_at,
        credits=credits,
        before_seq=latest_seq + 1 if latest_seq else None,
        can_be_paid=status is InvoiceStatus.OPEN,
    )
