"""Exported files as LibreOffice opens them: no cell is a formula, and totals agree."""

from __future__ import annotations

import csv
import shutil
import subprocess
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from xlsxwriter import Workbook

from billing.models import ExportFormat, ExportKind
from tests.billing.exports import HOSTILE, ask, content_of, hostile_wallet, make

if TYPE_CHECKING:
    from pathlib import Path

LIBREOFFICE = shutil.which("libreoffice")
pytestmark = [
    pytest.mark.full,
    pytest.mark.django_db(transaction=True, databases=["default", "owner"]),
    pytest.mark.skipif(
        LIBREOFFICE is None,
        reason="NOT PROVEN: LibreOffice is not installed (libreoffice-calc)",
    ),
]


def opened(file: Path, form: str) -> str:
    """What LibreOffice makes of a file, in another format."""
    # Comma, quote, UTF-8, from line 1; numbers and formulas are looked for.
    as_csv = ["--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,0,true"]
    subprocess.run(
        [
            *(LIBREOFFICE, f"-env:UserInstallation={file.parent.as_uri()}/profile"),
            *("--headless", *(as_csv if file.suffix == ".csv" else [])),
            *("--convert-to", form, "--outdir", str(file.parent / "opened"), str(file)),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    extension = form.partition(":")[0]
    return (file.parent / "opened" / f"{file.stem}.{extension}").read_text()


def formulas(file: Path) -> int:
    return opened(file, "fods").count("table:formula=")


def read(file: Path) -> list[dict[str, str]]:
    """The table as LibreOffice shows it, with commas in large numbers."""
    as_shown = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false"
    return [*csv.DictReader(StringIO(opened(file, as_shown), newline=""))]


class TestInLibreOffice:
    @pytest.mark.parametrize("form", ExportFormat)
    @pytest.mark.parametrize("kind", [ExportKind.LEDGER, ExportKind.USAGE])
    def test_no_cell_is_a_formula(self, tmp_path, kind, form):
        hostile_wallet()
        file = tmp_path / f"table.{form.lower()}"

        file.write_bytes(content_of(make(ask(kind, form))))

        assert formulas(file) == 0

    def test_what_is_not_guarded_is_a_formula(self, tmp_path):
        file, sheet = tmp_path / "bad.csv", tmp_path / "bad.xlsx"
        file.write_text("Name\n=1+1\n")
        with Workbook(sheet) as workbook:
            workbook.add_worksheet().write_formula("A1", "=1+1")

        assert formulas(file) == 1
        assert formulas(sheet) == 1

    @pytest.mark.parametrize("form", ExportFormat)
    def test_totals_equal_the_ledger(self, tmp_path, form):
        wallet = hostile_wallet()
        file = tmp_path / f"table.{form.lower()}"
        file.write_bytes(content_of(make(ask(ExportKind.LEDGER, form))))

        rows = read(file)

        assert (
            sum(int(row["Credits"].replace(",", "")) for row in rows) == wallet.balance
        )
        assert len(rows) == len(HOSTILE) + 2
