"""Which tables there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.exporting import ledger_tables, money_tables, report_tables
from billing.models import ExportKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing.exporting.tables import Table

TABLES: Mapping[ExportKind, Table] = {
    ExportKind.STATEMENT: report_tables.STATEMENT,
    ExportKind.LEDGER: ledger_tables.LEDGER,
    ExportKind.USAGE: ledger_tables.USAGE,
    ExportKind.PURCHASES: money_tables.PURCHASES,
    ExportKind.INVOICES: money_tables.INVOICES,
    ExportKind.REFUNDS: money_tables.REFUNDS,
    ExportKind.DISPUTES: money_tables.DISPUTES,
    ExportKind.LIABILITY: report_tables.LIABILITY,
    ExportKind.REVENUE: report_tables.REVENUE,
    ExportKind.DEFERRED: report_tables.DEFERRED,
    ExportKind.JOURNAL: report_tables.JOURNAL,
    ExportKind.AUDIT: money_tables.AUDIT,
}
