"""`manage.py export`: the same files from the shell."""

from __future__ import annotations

import hashlib

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from billing.management.commands import export as command
from billing.models import ExportKind
from tests.billing.exports import (
    TODAY,
    ask,
    content_of,
    csv_rows,
    hostile_wallet,
    make,
    xlsx_rows,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
DAYS = {"first": TODAY, "last": TODAY}


class TestExport:
    def test_writes_what_a_page_would(self, tmp_path):
        hostile_wallet()
        file = tmp_path / "ledger.csv"

        call_command(
            "export", "ledger", f"--from={TODAY}", f"--to={TODAY}", output=file
        )

        assert file.read_bytes() == content_of(make(ask()))

    def test_says_how_many_rows_and_the_checksum(self, tmp_path, capsys):
        wallet, file = hostile_wallet(), tmp_path / "statement.xlsx"

        arguments = ["statement", f"--from={TODAY}", f"--to={TODAY}", "--format=xlsx"]
        whose = {"account": wallet.account.public_id}
        call_command("export", *arguments, output=str(file), **whose)

        content = file.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        rows = len(xlsx_rows(content))
        assert capsys.readouterr().out == f"{file}: {rows} rows, SHA-256 {sha256}\n"
        assert AuditEvent.objects.get(action="export.asked").account_id

    def test_writes_to_standard_output(self, capfdbinary):
        hostile_wallet()

        call_command("export", "usage", f"--from={TODAY}", f"--to={TODAY}", output="-")

        assert len(csv_rows(capfdbinary.readouterr().out)) == 10

    def test_leaves_nothing_when_it_fails(self, tmp_path, monkeypatch):
        monkeypatch.setattr(command, "write", lambda *_a, **_k: 1 // 0)

        with pytest.raises(ZeroDivisionError):
            call_command(
                *("export", "ledger", f"--from={TODAY}", f"--to={TODAY}"),
                output=str(tmp_path / "ledger.csv"),
            )

        assert [*tmp_path.iterdir()] == []

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["statement"], "A statement is of one account"),
            (["ledger", "--account=acc_none"], "There is no account acc_none"),
            (["ledger", "--to=2026-01-01"], "--to is before --from"),
            (["ledger", "--to=yesterday"], "yesterday is no day"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, arguments, why):
        days = [f"--from={TODAY}", f"--to={TODAY}"]

        with pytest.raises(CommandError, match=why):
            call_command("export", *days, *arguments)

    def test_knows_every_kind(self):
        with pytest.raises(CommandError, match="journal"):
            call_command("export", "everything", f"--from={TODAY}", f"--to={TODAY}")

        assert ExportKind.JOURNAL.lower() == "journal"
