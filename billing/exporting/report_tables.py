"""What pages show too, for export: statements, and the reports of finance (R110)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.core.periods import Span
from billing.exporting.tables import ReportTable
from billing.finance.reports import deferred, journal, liability, revenue
from billing.finance.reports.dating import reading
from credits import statement_files
from credits.models import Wallet
from credits.period_statements import Period
from credits.spreadsheets import Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from billing.exporting.tables import Wanted
    from billing.finance.reports.amounts import Amount
    from credits.spreadsheets import Value

Row = tuple["Value", ...]

_CREDITS = Column("Credits", ColumnKind.NUMBER)
_CURRENCY = Column("Currency")


def _money(name: str) -> Column:
    return Column(name, ColumnKind.CENTS)


def _statement(wanted: Wanted) -> Iterator[Sequence[Value]]:
    if wanted.account_id is None:
        raise ValueError("A statement is of one account.")
    wallets = Wallet.objects.filter(account_id=wanted.account_id)
    for wallet in wallets.select_related("account").order_by("unit"):
        zone = ZoneInfo(wallet.account.time_zone)
        # A snapshot posts nothing: what is due and not posted yet is in the next one.
        period = Period(wallet.pk, wanted.since, wanted.until, wallet.seq)
        yield from statement_files.table_of(period, zone=zone)


@reading()
def _liability(wanted: Wanted) -> list[Row]:
    period = Span(wanted.since, wanted.until)
    rows: list[Row] = []
    for split in liability.Split:
        for rolled in liability.roll_forward(period, by=split):
            whose = (str(split), rolled.unit, rolled.group)
            rows += [(*whose, *line) for line in _rolled(rolled)]
    rows += [
        ("expiry", age.unit, age.bucket, "CLOSING", *_figures(age.amount))
        for age in liability.ageing(at=wanted.until)
    ]
    return rows


def _rolled(rolled: liability.RollForward) -> Iterator[Row]:
    yield ("OPENING", *_figures(rolled.opening))
    for moved in rolled.moved:
        yield (str(moved.movement), *_figures(moved.amount))
    yield ("CLOSING", *_figures(rolled.closing))


def _revenue(wanted: Wanted) -> list[Row]:
    period = Span(wanted.since, wanted.until)
    rows: list[Row] = [
        ("revenue", line.name, *_figures(line.amount))
        for line in revenue.revenue(period)
    ]
    for one in revenue.breakage_estimates(period):
        ways = (
            ("breakage on expiry", one.on_expiry_cents),
            ("breakage in proportion to use", one.proportional_cents),
        )
        rows += [
            (part, one.source, None, cents, settings.CURRENCY) for part, cents in ways
        ]
    return rows


def _deferred(wanted: Wanted) -> list[Row]:
    return [
        (
            one.month,
            one.plan,
            one.cohort,
            one.granted.credits,
            one.granted.cents,
            one.unbegun.credits,
            one.unbegun.cents,
            settings.CURRENCY,
        )
        for one in deferred.waterfall(at=wanted.until)
    ]


def _journal(wanted: Wanted) -> list[Row]:
    return [
        (
            line.day,
            line.account,
            line.number,
            line.debit_cents,
            line.credit_cents,
            settings.CURRENCY,
            line.reference,
        )
        for line in journal.lines(Span(wanted.since, wanted.until))
    ]


def _figures(amount: Amount) -> Row:
    return amount.credits, amount.cents, settings.CURRENCY


# The customer's own file, one wallet after the other.
STATEMENT = ReportTable(columns=statement_files.COLUMNS, rows=_statement)
# The whole, then by plan and by source; at last what is closing by its expiry.
LIABILITY = ReportTable(
    columns=(
        *(Column("By"), Column("Unit"), Column("Group"), Column("Line")),
        *(_CREDITS, _money("Cost"), _CURRENCY),
    ),
    rows=_liability,
)
REVENUE = ReportTable(
    columns=(Column("Part"), Column("Line"), _CREDITS, _money("Amount"), _CURRENCY),
    rows=_revenue,
)
# As it stands at the end of the period.
DEFERRED = ReportTable(
    columns=(
        Column("Ends in the month from", ColumnKind.DAY),
        Column("Plan"),
        Column("Paid in the month from", ColumnKind.DAY),
        Column("Credits", ColumnKind.NUMBER),
        _money("Deferred"),
        Column("Credits of months to come", ColumnKind.NUMBER),
        _money("Deferred for months to come"),
        _CURRENCY,
    ),
    rows=_deferred,
)
JOURNAL = ReportTable(
    columns=(
        Column("Day", ColumnKind.DAY),
        Column("Account"),
        Column("Number"),
        _money("Debit"),
        _money("Credit"),
        _CURRENCY,
        Column("Reference"),
    ),
    rows=_journal,
)
