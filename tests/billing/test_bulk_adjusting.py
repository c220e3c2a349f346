"""Adjustments by the file (R94)."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.db import Error, connection, transaction
from openpyxl import Workbook

from accounts.models import AuditEvent
from billing import batches, bulk_adjusting
from billing.adjusting import AdjustmentRefused
from billing.bulk_adjusting import FileRefused, carrying_out
from billing.models import Adjustment, BatchState, BulkFile
from credits import ledger
from credits.models import LedgerEntry, Wallet
from tests.billing.batches import (
    HEAD,
    WHY,
    approved,
    carried_out,
    line,
    proposed,
    sheet,
    staff,
)
from tests.conftest import NOW
from tests.factories import job, make_account, make_member, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    return make_wallet(grants={"plan": (100, None)})


@pytest.fixture
def maker():
    return staff()


def check(content: bytes, by, name=""):
    return bulk_adjusting.check(content, name=name, by=by, at=NOW)


def errors_of(file) -> list[list[str]]:
    return [row["errors"] for row in file.rows]


def available(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).available


class TestDryRun:
    def test_shows_each_row_with_its_effect_and_writes_nothing_else(
        self, wallet, maker
    ):
        account = wallet.account

        file = check(sheet(line(account, 50), line(account, -120)), maker)

        effects = [(row["before"], row["after"]) for row in file.rows]
        assert effects == [(100, 150), (150, 30)]
        assert (file.added, file.removed, file.errors) == (50, 120, 0)
        assert not Adjustment.objects.exists()
        assert not AuditEvent.objects.exists()
        assert available(wallet) == 100

    def test_finds_accounts_by_the_address_of_a_member(self, wallet, maker):
        make_member(wallet.account, "OWNER", "alice@example.com")

        content = sheet(line(wallet.account, 5)).replace(
            wallet.account.public_id.encode(), b"Alice@Example.com"
        )

        assert check(content, maker).rows[0]["public_id"] == wallet.account.public_id

    def test_says_what_is_wrong_with_each_row(self, wallet, maker):
        account = wallet.account
        nobody = make_account(public_id="acc_none")
        nobody.public_id = "acc_nobody"

        file = check(
            sheet(
                line(nobody, 5),
                line(account, -101),
                line(account, 5, comment="short"),
                line(account, 5, reason="WHIM"),
                line(account, 5, last_day="31.12.2027"),
                line(account, 5, last_day="2020-01-01"),
                line(account, 2_000_000),
                line(account, 5).replace(",5,", ",5.5,"),
                line(account, 0),
            ),
            maker,
        )

        assert [bool(errors) for errors in errors_of(file)] == [True] * 9
        assert "There is no such account" in errors_of(file)[0][0]
        assert errors_of(file)[1] == ["Only 100 credits are available."]
        assert errors_of(file)[7] == ["“5.5” is no whole number."]

    def test_lets_an_account_have_several_rows_but_not_one_twice(self, wallet, maker):
        account = wallet.account

        file = check(sheet(line(account, 5), line(account, 6), line(account, 5)), maker)

        assert errors_of(file) == [
            [],
            [],
            ["Row 2 says the same: leave one of them out."],
        ]

    def test_says_when_an_address_is_that_of_several_accounts(self, wallet, maker):
        make_account(billing_email="one@example.com")
        make_account(billing_email="one@example.com")
        content = sheet("one@example.com,5,2027-12-31,GOODWILL,For the outage,,")

        file = check(content, maker)

        assert errors_of(file) == [["Several accounts have this address: use the id."]]

    def test_of_a_file_with_errors_leads_no_further(self, wallet, maker):
        file = check(sheet(line(wallet.account, -101)), maker)

        with pytest.raises(AdjustmentRefused, match="have errors"):
            bulk_adjusting.propose(file.pk, comment=WHY, ticket="", by=maker, at=NOW)

    def test_of_the_same_file_is_made_anew_until_it_is_proposed(self, wallet, maker):
        content = sheet(line(wallet.account, -101))
        first = check(content, maker)
        make = sheet(line(wallet.account, 50))
        carried_out(proposed(make, by=maker))

        again = check(content, maker)

        assert (again.pk, again.errors) == (first.pk, 0)


class TestFile:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"account;credits\r\n", "It lacks: reason, comment"),
            (HEAD.encode(), "has no rows"),
            (f"{HEAD},color\r\n".encode(), "nobody knows"),
            (f"{HEAD}\r\n=1+1,5\r\n".encode(), "is a formula"),
            ("account\r\nJürgen".encode("latin-1"), "not UTF-8"),
            (b'account\r\n"never closed', "cannot be read as CSV|lacks"),
            (b"PK\x03\x04 but no archive", "cannot be read as XLSX"),
            (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
            (f"{HEAD}\r\n".encode() + b"a,1\r\n" * 10_001, "more than 10,000"),
        ],
    )
    def test_that_is_none_is_refused(self, maker, content, says):
        with pytest.raises(FileRefused, match=says):
            check(content, maker)

        assert not BulkFile.objects.exists()

    def test_may_have_semicolons_and_a_mark_of_its_encoding(self, wallet, maker):
        text = sheet(line(wallet.account, 5)).replace(b",", b";")

        assert check(b"\xef\xbb\xbf" + text, maker).errors == 0

    def test_may_be_a_workbook(self, wallet, maker):
        book = Workbook()
        book.active.append(HEAD.split(","))
        day = NOW.date().replace(year=2027)
        book.active.append(
            [wallet.account.public_id, 5.0, day, "GOODWILL", "For the outage"]
        )
        saved = BytesIO()
        book.save(saved)

        file = check(saved.getvalue(), maker)

        assert (file.errors, file.added) == (0, 5)

    def test_with_a_formula_in_a_workbook_is_refused(self, wallet, maker):
        book = Workbook()
        book.active.append(HEAD.split(","))
        book.active.append(["=A1", 5])
        saved = BytesIO()
        book.save(saved)

        with pytest.raises(FileRefused, match="is a formula"):
            check(saved.getvalue(), maker)


class TestCarryingOut:
    def test_within_the_limit_makes_each_row_an_adjustment(self, wallet, maker):
        account = wallet.account
        file = proposed(sheet(line(account, 50), line(account, -120)), by=maker)

        done = carried_out(file)

        assert (done.state, done.done, done.failures) == (BatchState.DONE, 2, [])
        assert available(wallet) == 30
        rows = Adjustment.objects.order_by("bulk_row")
        assert [(one.bulk_row, one.kind, one.credits) for one in rows] == [
            (1, "ADD", 50),
            (2, "REMOVE", 120),
        ]

    def test_of_the_same_file_happens_once(self, wallet, maker):
        content = sheet(line(wallet.account, 50))
        first = carried_out(proposed(content, by=maker))

        again = proposed(content, by=staff())
        carried_out(again)

        assert (again.pk, available(wallet)) == (first.pk, 150)

    def test_of_the_same_rows_under_another_name_happens_again(self, wallet, maker):
        content = sheet(line(wallet.account, 50))
        carried_out(proposed(content, by=maker))

        other = check(content, maker, name="Once more")

        assert other.state == BatchState.CHECKED

    def test_above_the_limit_waits_for_somebody_else(self, wallet, maker):
        content = sheet(line(wallet.account, 400), line(wallet.account, 200))
        file = proposed(content, by=maker)

        carried_out(file)

        assert (file.state, file.approvals_needed) == (BatchState.PROPOSED, 1)
        assert available(wallet) == 100

    def test_above_the_limit_is_made_once_another_agrees(self, wallet, maker):
        content = sheet(line(wallet.account, 400), line(wallet.account, 200))
        file = approved(proposed(content, by=maker))

        done = carried_out(file)

        assert (done.state, available(wallet)) == (BatchState.DONE, 700)
        assert {one.decided_by for one in done.adjustments.all()} == {done.decided_by}

    def test_leaves_out_what_is_no_longer_possible_and_says_so(self, wallet, maker):
        account = wallet.account
        file = proposed(sheet(line(account, -100), line(account, 7)), by=maker)
        job_ = job(wallet, 60)
        spend_now(job_)

        done = carried_out(file)

        [failure] = done.failures
        assert (failure["number"], done.done, done.state) == (2, 2, BatchState.DONE)
        assert available(wallet) == 47

    def test_goes_on_where_a_crash_left_it(self, wallet, maker, monkeypatch):
        account = wallet.account
        lines = [line(account, n) for n in (1, 2, 3, 4)]
        file = proposed(sheet(*lines), by=maker)
        bulk_adjusting.carry_out(limit=2, at=NOW)
        with monkeypatch.context() as broken:
            broken.setattr(carrying_out.adjusting, "make", crash)
            with pytest.raises(RuntimeError):
                bulk_adjusting.carry_out(limit=1, at=NOW)
        assert available(wallet) == 103

        done = carried_out(file)

        assert (done.done, available(wallet)) == (4, 110)
        assert LedgerEntry.objects.filter(actor="adjustment").count() == 4


class TestUndo:
    def undone(self, file, by):
        return bulk_adjusting.propose_undo(
            file.pk, comment=WHY, ticket="", by=by, at=NOW
        )

    def test_reverses_every_row(self, wallet, maker):
        content = sheet(line(wallet.account, 50), line(wallet.account, -120))
        file = carried_out(proposed(content, by=maker))

        undo = carried_out(self.undone(file, maker))

        assert (undo.state, undo.undoes) == (BatchState.DONE, file)
        assert (undo.failures, available(wallet)) == ([], 100)

    def test_says_what_was_used_meanwhile(self, wallet, maker):
        file = carried_out(proposed(sheet(line(wallet.account, 50)), by=maker))
        spend_now(job(wallet, 20))  # of what was added: it expires first

        undo = self.undone(file, maker)

        assert (undo.rows[0]["credits"], undo.rows[0]["before"]) == (-50, 30)
        [said] = carried_out(undo).failures
        assert said["why"] == "Only 30 credits were left to take back."
        assert available(wallet) == 100

    def test_happens_once(self, wallet, maker):
        file = carried_out(proposed(sheet(line(wallet.account, 50)), by=maker))
        carried_out(self.undone(file, maker))

        with pytest.raises(AdjustmentRefused, match="not being undone"):
            self.undone(file, maker)

    def test_of_what_was_all_used_is_refused(self, wallet, maker):
        file = carried_out(proposed(sheet(line(wallet.account, 50)), by=maker))
        spend_now(job(wallet, 150))

        with pytest.raises(AdjustmentRefused, match="Nothing is left"):
            self.undone(file, maker)


class TestDatabase:
    @pytest.fixture
    def file(self, wallet, maker):
        content = sheet(line(wallet.account, 400), line(wallet.account, 200))
        return proposed(content, by=maker)

    @pytest.mark.parametrize(
        ("change", "refused_by"),
        [
            ("state = 'APPROVED'", "bulkfile_decided_as_needed"),
            (
                "state='APPROVED', decided_by_id=proposed_by_id, decided_at=now()",
                "bulkfile_is_not_approved_by_its_maker",
            ),
            ("approvals_needed = 0", "batch_content_never_changes"),
            ("rows = '[]'", "batch_content_never_changes"),
            ("comment = 'Because I say so'", "batch_content_never_changes"),
            ("state = 'CHECKED'", "batch_goes_one_way"),
            ("state = 'DONE', done = size, finished_at = now()", "batch_goes_one_way"),
        ],
    )
    def test_refuses_to_go_round_the_approval(self, file, change, refused_by):
        sql = f"UPDATE billing_bulkfile SET {change} WHERE id = %s"  # noqa: S608

        with pytest.raises(Error, match=refused_by), transaction.atomic():
            raw(sql, file.pk)

    def test_refuses_rows_of_a_file_that_nobody_approved(self, file, monkeypatch):
        monkeypatch.setattr(file, "decided_by", None)

        with pytest.raises(Error, match="bulk_row_of_an_approved_file"):
            carrying_out._make(file, file.rows[0], NOW)

    def test_refuses_to_forget_a_file(self, file):
        with pytest.raises(Error, match="billing_bulkfile"), transaction.atomic():
            raw("DELETE FROM billing_bulkfile WHERE id = %s", file.pk)

    def test_refuses_a_second_decision(self, file):
        approved(file)

        with pytest.raises(batches.DecidedBefore):
            approved(file)


def spend_now(command) -> None:

    ledger.spend(command, at=NOW)


def crash(*_: object, **__: object) -> None:
    raise RuntimeError("the worker was killed")


def raw(sql: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
