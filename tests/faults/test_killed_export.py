"""The plug is pulled while a file is made: it is absent, and then it is there whole."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys

import pytest

from billing.models import Export, ExportFormat, ExportKind, ExportState
from config import children
from config.clock import now
from credits.models import LedgerEntry
from tests.billing.exports import ask, csv_rows, hostile_wallet, xlsx_rows
from tests.faults.conftest import database_url
from tests.faults.export_worker import Moment
from tests.sandbox_process import ROOT

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
LATER = 1  # by then the lease of whoever died has ended


@pytest.fixture
def storage(tmp_path):
    directory = tmp_path / "exports"
    directory.mkdir()
    return directory


def work(storage, *options: str) -> int:
    """Let a process make what is due; return how it ended."""
    process = children.start(
        [sys.executable, "-m", "tests.faults.export_worker", *options],
        log=storage.parent / "worker.log",
        directory=str(ROOT),
        environment={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url(),
            "EXPORT_STORAGE_OPTIONS": json.dumps({"location": str(storage)}),
        },
    )
    return process.wait(timeout=60)


class TestKilledExport:
    @pytest.mark.parametrize("moment", Moment, ids=[one.name.lower() for one in Moment])
    @pytest.mark.parametrize(
        ("form", "read"),
        [(ExportFormat.CSV, csv_rows), (ExportFormat.XLSX, xlsx_rows)],
    )
    def test_is_absent_and_then_made_anew(self, storage, moment, form, read):
        hostile_wallet()
        export = ask(ExportKind.LEDGER, form, at=now())

        assert work(storage, "--dies", moment) == -signal.SIGKILL
        export.refresh_from_db()
        assert (export.state, export.file_name) == (ExportState.RUNNING, "")

        assert work(storage, "--minutes-later", str(LATER)) == 0
        export.refresh_from_db()
        [file] = storage.iterdir()
        content = file.read_bytes()
        assert (export.state, export.attempts) == (ExportState.READY, 2)
        assert file.name == export.file_name
        assert hashlib.sha256(content).hexdigest() == export.sha256
        assert len(read(content)) == LedgerEntry.objects.count()

    def test_is_left_alone_while_its_lease_lasts(self, storage):
        ask(at=now())
        work(storage, "--dies", Moment.STORED)

        assert work(storage) == 0
        assert Export.objects.get().attempts == 1
