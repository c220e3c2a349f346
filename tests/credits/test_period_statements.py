"""The statement of a period: what it adds up to, and what proves it."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.conf import settings

from credits import ledger
from credits.models import Freeze, GrantSource
from credits.period_statements import period_of, statement_of
from credits.spreadsheets import csv_of, write_xlsx
from credits.statement_files import COLUMNS, table_of
from tests.conftest import NOW
from tests.credits.usage_jobs import give_back, hold, key, line, release, use
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

DAY = timedelta(days=1)
MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
LATER = MAY + 30 * DAY


def grant(wallet, credits, *, at, source=GrantSource.PURCHASE, lifetime=None):
    return ledger.grant(
        wallet_id=wallet.pk,
        source=source,
        source_key=f"purchase:{key()}",
        credits=credits,
        cost_basis_cents=0,
        effective_at=at,
        expires_at=at + lifetime if lifetime else None,
        actor="test",
        at=at,
    )


@pytest.fixture
def wallet(db):
    """Two grants; March uses some of both, and in April the first one ends."""
    wallet = make_wallet(make_account())
    grant(wallet, 100, at=NOW, source=GrantSource.PLAN, lifetime=30 * DAY)
    grant(wallet, 50, at=NOW + DAY)
    use(wallet, line("avatar-iv", 24, 72_000), member="ann@x.example", at=NOW + 2 * DAY)
    return wallet


def period(wallet, starts_at, ends_at, *, last_seq=None, at=LATER):
    return period_of(
        wallet.pk, starts_at=starts_at, ends_at=ends_at, last_seq=last_seq, at=at
    )


def statement(wallet, starts_at=MARCH, ends_at=APRIL, *, limit=100, **of):
    return statement_of(period(wallet, starts_at, ends_at, **of), limit=limit)


def file_of(wallet, starts_at=MARCH, ends_at=APRIL, *, zone=UTC, **of) -> str:
    rows = table_of(period(wallet, starts_at, ends_at, **of), zone=zone)
    return "".join(csv_of(COLUMNS, rows))


def rows_in(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestStatement:
    def test_goes_from_opening_to_closing(self, wallet):
        march, april = statement(wallet), statement(wallet, APRIL, MAY)

        assert [march.opening.balance, march.closing.balance] == [0, 126]
        assert [m.line.balance for m in march.movements] == [100, 150, 126]
        assert [april.opening.balance, april.closing.balance] == [126, 50]

    def test_is_half_open(self, wallet):
        use(wallet, line("look", 5), at=APRIL)

        assert statement(wallet).closing.balance == 126
        [job, _expired] = statement(wallet, APRIL, MAY).movements
        assert (job.line.happened_at, job.line.credits) == (APRIL, -5)

    def test_posts_first_what_is_due(self, wallet):
        [expired] = statement(wallet, APRIL, MAY).movements

        assert expired.row.description == "Expired: monthly credits"
        assert expired.line.happened_at == NOW + 30 * DAY

    def test_is_in_the_order_of_time_however_late_it_was_posted(self, wallet):
        """R17: nobody looked when the grant ended, and a job came meanwhile."""
        late = NOW + 40 * DAY
        give_back(use(wallet, line("look", 5), at=late), at=late)

        found = statement(wallet, APRIL, MAY)

        assert [m.line.kind for m in found.movements] == ["EXPIRE", "SPEND", "REVERSE"]
        assert [m.line.balance for m in found.movements] == [50, 45, 50]

    def test_names_the_grants_that_paid_for_a_job(self, wallet):
        use(wallet, line("look", 90), at=NOW + 3 * DAY)

        *_, job = statement(wallet).movements

        assert [(one.brought_by, one.label, one.credits) for one in job.paid_from] == [
            (1, "Monthly credits", -76),
            (2, "Purchased credits", -14),
        ]
        assert job.line.drawn == "#1 -76 0 0; #2 -14 0 0"

    def test_says_what_each_grant_did(self, wallet):
        use(wallet, line("look", 90), at=APRIL)

        march, april = statement(wallet), statement(wallet, APRIL, MAY)

        assert [
            (g.brought_by, g.opening, g.came_in, g.went_out, g.closing)
            for g in (*march.grants, *april.grants)
        ] == [
            *((1, 0, 100, -24, 76), (2, 0, 50, 0, 50)),
            *((1, 76, 0, -76, 0), (2, 50, 0, -14, 36)),
        ]

    def test_leaves_out_grants_that_are_used_up(self, wallet):
        assert [g.brought_by for g in statement(wallet, MAY, LATER).grants] == [2]

    def test_adds_up_by_kind_with_held_jobs_as_used(self, wallet):
        held = hold(wallet, 9, at=NOW + 3 * DAY)
        ledger.capture(
            hold_id=held.hold_id,
            lines=(line("look", 9),),
            is_final=True,
            absorbs_excess=False,
            idempotency_key=key(),
            actor="test",
            at=NOW + 3 * DAY,
        )

        kinds = statement(wallet).kinds

        assert [(one.label, one.entries, one.credits) for one in kinds] == [
            ("Credits added", 2, 150),
            ("Used", 2, -33),
            ("Put on hold", 1, 0),
        ]

    def test_has_all_four_figures_and_what_is_owed(self, wallet):
        hold(wallet, 9, at=NOW + 3 * DAY)
        bought = grant(wallet, 20, at=NOW + 3 * DAY)
        common = {"actor": "test", "reason": "x", "at": NOW + 3 * DAY}
        ledger.freeze(
            grant_id=bought.grant_id,
            freeze=Freeze.DISPUTE,
            idempotency_key=key(),
            **common,
        )
        ledger.record_debt(
            wallet_id=wallet.pk, credits=7, idempotency_key=key(), **common
        )

        end = statement(wallet, at=NOW + 3 * DAY).closing

        assert (end.credits, end.held, end.frozen, end.debt) == (146, 9, 20, 7)
        assert end.available == 117

    def test_shows_some_and_counts_all(self, wallet):
        found = statement(wallet, limit=1)

        assert (len(found.movements), found.count) == (1, 3)
        assert found.seal == statement(wallet).seal

    def test_of_nothing_has_two_lines(self, wallet):
        empty = statement(wallet, MAY, LATER)

        assert (empty.count, empty.kinds) == (0, ())
        assert empty.opening.balance == empty.closing.balance == 50

    def test_reads_in_as_many_queries_however_many_movements(
        self, wallet, django_assert_num_queries
    ):
        for n in range(20):
            use(wallet, line("look", 1), at=NOW + (3 + n) * timedelta(hours=1))
        whole = period(wallet, MARCH, APRIL)

        # Draws by grant, grants, lines, entries, draws, lines of jobs, their labels,
        # kinds, and the wallet.
        with django_assert_num_queries(9):
            statement_of(whole, limit=100)


class TestStateOfTheLedger:
    def test_is_named_by_an_entry_for_good(self, wallet):
        before = statement(wallet, at=NOW + 3 * DAY)
        use(wallet, line("look", 5), at=NOW + 4 * DAY)

        again = statement(wallet, last_seq=3)

        assert again.seal == before.seal
        assert (again.count, again.entries_since) == (3, 2)
        assert statement(wallet).seal != before.seal

    def test_does_not_lie_ahead(self, wallet):
        assert period(wallet, MARCH, APRIL, last_seq=10**9).last_seq == 4


class TestSeal:
    def test_is_recomputed_by_the_script_of_the_docs(self, wallet, tmp_path):
        use(wallet, line("look", 3), line("image", 4, 2), at=NOW + 3 * DAY)
        release(hold(wallet, 9, at=NOW + 3 * DAY), at=NOW + 3 * DAY)

        said = prove(file_of(wallet), tmp_path)

        assert said == f"6 movements, closing at 119. Seal: {statement(wallet).seal}\n"

    @pytest.mark.parametrize(
        "reference", ["=1+1", "'=1+1", "''", "@x", "a|b|c", 'a"b', "a\nb", "Füße", "-5"]
    )
    def test_holds_for_any_reference(self, wallet, tmp_path, reference):
        job = ledger.Spend(wallet.pk, (line(),), key(), "test", reference=reference)
        ledger.spend(job, at=NOW + 3 * DAY)

        assert statement(wallet).seal in prove(file_of(wallet), tmp_path)

    @pytest.mark.parametrize(
        "column",
        [
            *("Number", "Time", "Kind", "Credits", "On hold", "Frozen", "Owed"),
            *("Balance", "Used", "Drawn", "Reference", "SHA-256"),
        ],
    )
    @pytest.mark.parametrize("place", [0, 2, -1])
    def test_breaks_with_any_sealed_cell(self, wallet, tmp_path, column, place):
        rows = rows_in(file_of(wallet))
        rows[place][column] += "1"

        with pytest.raises(NotProven):
            prove(as_csv(rows), tmp_path)

    @pytest.mark.parametrize("place", [0, 1, 2, 3, -1])
    def test_breaks_without_any_line(self, wallet, tmp_path, place):
        rows = rows_in(file_of(wallet))
        del rows[place]

        with pytest.raises(NotProven):
            prove(as_csv(rows), tmp_path)

    def test_survives_the_erasure_of_persons(self, wallet, tmp_path):
        rows = rows_in(file_of(wallet))
        rows[3]["Who"] = "erased"

        assert statement(wallet).seal in prove(as_csv(rows), tmp_path)

    def test_differs_by_the_account(self, wallet):
        other = make_wallet(make_account("Contoso"))

        assert statement(wallet, MAY, LATER).seal != statement(other, MAY, LATER).seal


class TestFiles:
    def test_say_to_people_what_they_seal(self, wallet):
        opening, _, _, job, closing = rows_in(
            file_of(wallet, zone=ZoneInfo("Asia/Tokyo"))
        )

        assert {name: job[name] for name in ("When", "What", "Paid from", "Who")} == {
            "When": "2026-03-12 21:00:00+09:00",
            "What": "Avatar IV, 1 min 12 s",
            "Paid from": "Monthly credits of entry 1: -24",
            "Who": "ann@x.example",
        }
        assert (job["Time"], job["Used"]) == (
            "2026-03-12T12:00:00.000000Z",
            "avatar-iv 72000 r1 24",
        )
        assert (opening["What"], opening["Balance"]) == ("Opening balance", "0")
        assert (closing["What"], closing["Balance"]) == ("Closing balance", "126")

    def test_are_the_same_as_csv_and_as_xlsx(self, wallet):
        file = io.BytesIO()
        rows = table_of(period(wallet, MARCH, APRIL), zone=UTC)
        write_xlsx(file, title="Statement", columns=COLUMNS, rows=rows)

        sheet = openpyxl.load_workbook(file).active

        cells = [
            ["" if cell is None else str(cell) for cell in row]
            for row in sheet.iter_rows(values_only=True)
        ]
        assert cells == list(csv.reader(io.StringIO(file_of(wallet), newline="")))


class NotProven(Exception):
    """The script said no."""


def prove(text: str, directory: Path) -> str:
    """Run the script of docs/statement-proof.md on a file, and return what it says."""
    docs = (Path(settings.BASE_DIR) / "docs" / "statement-proof.md").read_text("utf-8")
    [script] = re.findall(r"```python\n(.*?)```", docs, re.DOTALL)
    (directory / "prove.py").write_text(script, "utf-8")
    file = directory / "statement.csv"
    file.write_text(text, "utf-8", newline="")
    done = subprocess.run(
        [sys.executable, "-I", directory / "prove.py", file],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotProven(done.stderr)
    return done.stdout


def as_csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
