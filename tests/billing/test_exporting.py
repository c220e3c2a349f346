"""Exports: what is in a file, and that it is there whole or not at all."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from accounts.models import AuditEvent, Notice
from billing.exporting import asking, beating, running, writing
from billing.exporting.progress import Progress
from billing.exporting.registry import TABLES
from billing.models import (
    REPORTS,
    Export,
    ExportFormat,
    ExportKind,
    ExportState,
)
from credits.models import LedgerEntry, UsageLine
from tests.billing.exports import (
    HOSTILE,
    ask,
    content_of,
    csv_rows,
    hostile_wallet,
    make,
    xlsx_rows,
)
from tests.conftest import NOW
from tests.factories import make_account, make_wallet
from tests.faults.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
CSV, XLSX = ExportFormat.CSV, ExportFormat.XLSX
GUARDED = [f"'{n}" if n[0] in "=+-@\t\r" else n for n in HOSTILE]


@pytest.fixture(autouse=True)
def storage(tmp_path, settings):
    """A storage of this test's own, to look into."""
    directory = tmp_path / "exports"
    kept = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(directory)},
    }
    settings.STORAGES = {**settings.STORAGES, "exports": kept}
    directory.mkdir()
    return directory


class TestEachTable:
    @pytest.mark.parametrize("kind", ExportKind)
    @pytest.mark.parametrize("form", ExportFormat)
    def test_is_written(self, kind, form):
        wallet = hostile_wallet()
        account = None if kind in REPORTS else wallet.account

        made = make(ask(kind, form, account=account))

        read = csv_rows if form == CSV else xlsx_rows
        assert (made.state, made.error) == (ExportState.READY, "")
        assert len(read(content_of(made))) == made.rows_done

    def test_there_is_one_of_each_kind(self):
        assert set(TABLES) == set(ExportKind)


class TestLedger:
    def test_as_csv_adds_up_to_the_ledger(self):
        wallet = hostile_wallet()

        rows = csv_rows(content_of(make(ask())))

        assert sum(int(row["Credits"]) for row in rows) == wallet.balance
        assert len(rows) == LedgerEntry.objects.count()

    def test_as_xlsx_adds_up_to_the_ledger(self):
        wallet = hostile_wallet()

        rows = xlsx_rows(content_of(make(ask(format=XLSX))))

        assert sum(row["Credits"] for row in rows) == wallet.balance
        assert len(rows) == LedgerEntry.objects.count()

    @pytest.mark.parametrize(("form", "read"), [(CSV, csv_rows), (XLSX, xlsx_rows)])
    def test_text_that_looks_like_a_formula_is_guarded(self, form, read):
        hostile_wallet()

        rows = read(content_of(make(ask(format=form))))

        jobs = [row for row in rows if row["Kind"] == "SPEND"]
        assert [row["Member"] for row in jobs] == GUARDED
        assert {row["Account name"] for row in rows} == {"'=1+1"}

    def test_says_the_same_in_both_formats(self):
        hostile_wallet()

        as_csv = csv_rows(content_of(make(ask())))
        as_xlsx = xlsx_rows(content_of(make(ask(format=XLSX))))

        assert as_csv == [
            {name: _as_csv(value) for name, value in row.items()} for row in as_xlsx
        ]

    def test_of_one_account_leaves_out_the_others(self):
        wallet, other = hostile_wallet(), make_account("Other")
        make_wallet(other, {"plan": (5, None)})

        made = make(ask(account=wallet.account))

        names = {row["Account name"] for row in csv_rows(content_of(made))}
        assert names == {"'=1+1"}

    def test_of_another_day_is_empty(self):
        hostile_wallet()
        export, day = ask(), timedelta(days=1)
        Export.objects.update(since=export.since + day, until=export.until + day)

        assert csv_rows(content_of(make(export))) == []


class TestUsage:
    def test_adds_up_to_what_was_used(self):
        hostile_wallet()

        rows = csv_rows(content_of(make(ask(ExportKind.USAGE))))

        used = UsageLine.objects.aggregate(credits=Sum("credits"))["credits"]
        assert sum(int(row["Credits"]) for row in rows) == used


class TestMade:
    def test_tells_size_checksum_and_rows(self):
        hostile_wallet()

        made = make(ask())

        content = content_of(made)
        assert made.sha256 == hashlib.sha256(content).hexdigest()
        assert made.size == len(content)
        assert made.rows_done == made.rows_total == LedgerEntry.objects.count()
        assert made.expires_at == NOW + running.KEPT

    def test_is_made_once(self):
        made = make(ask())

        again = make(made, at=NOW + timedelta(hours=1))

        assert (again.attempts, again.finished_at) == (1, NOW)

    def test_is_one_snapshot(self, monkeypatch):
        wallet = hostile_wallet()
        counted = writing._count
        monkeypatch.setattr(
            writing, "_count", lambda *of: (counted(*of), spend_elsewhere(wallet))[0]
        )

        made = make(ask())

        rows = csv_rows(content_of(made))
        assert len(rows) == made.rows_total == LedgerEntry.objects.count() - 1

    def test_is_told_by_mail_only_when_it_took_long(self):
        quick, slow = ask(), ask()

        make(quick, at=NOW + timedelta(seconds=30))
        make(slow, at=NOW + timedelta(seconds=31))

        [notice] = Notice.objects.filter(kind="export_finished")
        assert notice.recipient == slow.requested_by.email
        assert notice.subject == "Ready: Ledger"
        assert slow.public_id in notice.text
        assert Export.objects.exclude(mailed_at=None).get() == slow

    def test_ends_after_a_week_and_stays_known(self, storage):
        made = make(ask())

        asking.delete_expired(limit=9, at=NOW + running.KEPT)

        made.refresh_from_db()
        assert (made.state, made.file_name) == (ExportState.EXPIRED, "")
        assert len(made.sha256) == 64
        assert [*storage.iterdir()] == []

    def test_does_not_end_before(self, storage):
        make(ask())

        asking.delete_expired(limit=9, at=NOW + running.KEPT - timedelta(seconds=1))

        assert len([*storage.iterdir()]) == 1


class TestFailed:
    def test_says_so_and_leaves_nothing(self, monkeypatch, storage):
        monkeypatch.setattr(running, "write", break_down)

        failed = make(ask(), at=NOW + timedelta(minutes=1))

        assert failed.state == ExportState.FAILED
        assert failed.error == "It could not be made (ZeroDivisionError)."
        assert [*storage.iterdir()] == []
        assert Notice.objects.get().subject == "Not made: Ledger"

    def test_is_given_up_after_three_interruptions(self):
        export = interrupt(ask(), attempts=3)

        failed = make(export, at=NOW + timedelta(minutes=1))

        assert failed.state == ExportState.FAILED
        assert failed.error == "Whoever made it was interrupted three times."


class TestCanceled:
    def test_before_it_began_is_never_made(self):
        export = ask()

        assert asking.cancel(export, by=export.requested_by, at=NOW)

        assert make(export).state == ExportState.CANCELED
        assert AuditEvent.objects.filter(action="export.canceled").count() == 1

    def test_when_ready_is_too_late(self):
        made = make(ask())

        assert not asking.cancel(made, by=made.requested_by, at=NOW)

        assert make(made).state == ExportState.READY

    def test_while_the_database_works_stops_it_within_two_seconds(
        self, monkeypatch, storage
    ):
        began = Event()
        monkeypatch.setattr(running, "write", lambda *_a, **_k: sleep_in_sql(began, 30))
        export = ask()
        worker = Thread(target=run_and_close, args=[export])
        worker.start()
        began.wait(10)

        asking.cancel(export, by=export.requested_by, at=NOW)

        worker.join(timeout=3)
        assert not worker.is_alive()
        export.refresh_from_db()
        assert export.state == ExportState.CANCELED
        assert [*storage.iterdir()] == []


class TestLease:
    def test_keeps_a_second_worker_away(self, monkeypatch):
        export, at = ask(), NOW + timedelta(seconds=1)
        wrote = []
        monkeypatch.setattr(
            running, "write", lambda *_a, **_k: wrote.append(make(export, at=at))
        )

        make(export)

        assert len(wrote) == 1
        assert (export.attempts, export.state) == (1, ExportState.READY)

    def test_of_whoever_died_ends(self):
        export = interrupt(ask())
        late = NOW + beating.LEASE

        assert running.due_exports(limit=9, at=late - timedelta(seconds=1)) == []
        assert running.due_exports(limit=9, at=late) == [export.pk]

    def test_lost_to_another_worker_leaves_the_file_to_it(self, monkeypatch, storage):
        export, late = ask(), NOW + timedelta(hours=1)
        then = once_then(running.write, lambda: make(export, at=late))
        monkeypatch.setattr(running, "write", then)

        make(export)

        assert (export.attempts, export.state) == (2, ExportState.READY)
        assert [file.name for file in storage.iterdir()] == [export.file_name]

    def test_is_renewed_with_the_rows_that_are_done(self):
        export = interrupt(ask())
        progress = Progress(rows=7, total=9)
        late = NOW + timedelta(seconds=20)

        with beating.beating(export, progress, lambda: late):
            wait_for_beat(export)

        export.refresh_from_db()
        assert (export.rows_done, export.rows_total) == (7, 9)
        assert export.lease_ends_at == late + beating.LEASE


class TestConstraints:
    @pytest.mark.parametrize(
        "change",
        [
            {"state": "READY"},
            {"state": "RUNNING"},
            {"state": "FAILED", "finished_at": NOW},
            {"state": "GONE"},
            {"kind": "ALL"},
            {"kind": "STATEMENT"},
            {"file_name": "a.csv"},
            {"until": NOW - timedelta(days=2)},
            {"rows_total": -1},
        ],
    )
    def test_refuse_what_cannot_be(self, change):
        export = ask()

        with pytest.raises(IntegrityError), transaction.atomic():
            Export.objects.filter(pk=export.pk).update(**change)

    @pytest.mark.parametrize(
        "change",
        [{"size": None}, {"sha256": ""}, {"rows_done": 0}, {"expires_at": None}],
    )
    def test_refuse_a_file_of_which_something_is_unknown(self, change):
        hostile_wallet()
        made = make(ask())

        with pytest.raises(IntegrityError), transaction.atomic():
            Export.objects.filter(pk=made.pk).update(**change)

    def test_refuse_a_report_of_one_account(self):
        with pytest.raises(IntegrityError):
            ask(ExportKind.JOURNAL, account=make_account())


def _as_csv(value: object) -> str:
    if value is None:
        return ""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "hour") else str(value)


def break_down(*_args, **_kwargs):
    raise ZeroDivisionError


def interrupt(export: Export, attempts: int = 1) -> Export:
    """Leave it as a worker that died at NOW does."""
    Export.objects.filter(pk=export.pk).update(
        state=ExportState.RUNNING,
        attempts=attempts,
        lease_ends_at=NOW + beating.LEASE,
    )
    export.refresh_from_db()
    return export


def once_then(write, other):
    """Write as usual; but the first time somebody else comes in between."""
    others = [other]

    def writes(*args, **kwargs):
        write(*args, **kwargs)
        if others:
            others.pop()()

    return writes


def run_and_close(export: Export) -> None:
    running.run(export_id=export.pk, clock=lambda: NOW)
    connection.close()


def sleep_in_sql(began: Event, seconds: int) -> None:
    with connection.cursor() as cursor:
        began.set()
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def spend_elsewhere(wallet) -> None:
    """Commit a grant from a connection of its own, while the snapshot is read."""
    thread = Thread(target=_grant_and_close, args=[wallet])
    thread.start()
    thread.join()


def _grant_and_close(wallet) -> None:
    make_wallet(wallet.account, {"another": (1, None)})
    connection.close()


def wait_for_beat(export: Export) -> None:
    eventually(lambda: Export.objects.get(pk=export.pk).rows_done)
