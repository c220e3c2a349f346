"""Exports for tests: asking for one, making it, and reading it back."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from accounts.roles import StaffGroup
from billing.exporting import asking, running
from billing.exporting.tables import period
from billing.models import Export, ExportFormat, ExportKind
from credits import ledger
from credits.models import GrantSource
from tests.conftest import NOW
from tests.factories import job, make_account, make_staff, make_wallet

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from credits.models import Wallet

TODAY = NOW.date()
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\ttab",
    "\rreturn",
    'say "hi", you',
    "one\ntwo",
    "\u202eright to left",
    "👩‍🚀 ok",
]


def ask(
    kind: ExportKind = ExportKind.LEDGER,
    format: ExportFormat = ExportFormat.CSV,  # noqa: A002
    *,
    account: Account | None = None,
    by: User | None = None,
    at: datetime = NOW,
) -> Export:
    """Ask for a file of today."""
    since, until = period(TODAY, TODAY)
    return asking.ask(
        kind=kind,
        format=format,
        since=since,
        until=until,
        account=account,
        by=by or make_staff(StaffGroup.FINANCE),
        at=at,
    )


def make(export: Export, *, at: datetime = NOW) -> Export:
    """Make the file here and now."""
    running.run(export_id=export.pk, clock=lambda: at)
    export.refresh_from_db()
    return export


def content_of(export: Export) -> bytes:
    with running.storage().open(export.file_name) as file:
        return file.read()


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(StringIO(content.decode(), newline=""))]


def xlsx_rows(content: bytes) -> list[dict[str, object]]:
    """All rows of all sheets, by the headers of their columns."""
    rows = []
    for sheet in load_workbook(BytesIO(content)).worksheets:
        header, *lines = sheet.iter_rows(values_only=True)
        rows += [
            dict(zip(header, map(_as_excel_shows, line), strict=True)) for line in lines
        ]
    return rows


def _as_excel_shows(value: object) -> object:
    # A control character is written as _x000D_; openpyxl leaves that to its callers.
    return unescape(value) if isinstance(value, str) else value


def hostile_wallet() -> Wallet:
    """A wallet with as many jobs as there are names that would like to be formulas."""
    wallet = make_wallet(make_account("=1+1"), {"plan": (1_000, None)})
    for number, name in enumerate(HOSTILE):
        ledger.spend_batch([_job(wallet, number + 1, name)], at=NOW)
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PURCHASE,
        source_key="=purchase",
        credits=100,
        cost_basis_cents=500,
        effective_at=NOW,
        expires_at=None,
        actor="@actor",
        at=NOW,
    )
    wallet.refresh_from_db()
    return wallet


def _job(wallet: Wallet, credits: int, name: str) -> ledger.Spend:
    plain = job(wallet, credits)
    return ledger.Spend(
        wallet_id=plain.wallet_id,
        lines=plain.lines,
        idempotency_key=plain.idempotency_key,
        actor=plain.actor,
        member=name,
        reference=name,
    )
