"""The page of a period's statement, and its files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from django.urls import reverse

from accounts.models import Role
from credits import ledger
from credits.models import WalletUnit
from credits.views import period_statement as view
from tests.conftest import NOW
from tests.credits.usage_jobs import line, use
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

DAY = timedelta(days=1)
NAMES = ("period_statement", "period_statement_csv", "period_statement_xlsx")
PAGE, CSV, XLSX = (
    f"/statement/period/{name}" for name in ("", "statement.csv", "statement.xlsx")
)
ADDRESSES = (PAGE, CSV, XLSX)


@pytest.fixture(autouse=True)
def _at_now(clock):
    clock.advance(20 * DAY)  # the 30th of March


@pytest.fixture
def wallet(db):
    account = make_account(
        "Northwind",
        time_zone="Europe/Berlin",
        billing_email="bills@northwind.example",
        country="DE",
    )
    wallet = make_wallet(account, {"plan": (1_500, None)})
    use(wallet, line("avatar-iv", 24, 72_000), member="ann@x.example", at=NOW + DAY)
    return wallet


@pytest.fixture
def browser(client, wallet):
    client.force_login(make_member(wallet.account, Role.MEMBER))
    return client


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def statement_at(browser, **query):
    return browser.get(PAGE, query).context["statement"]


def rows_of(response) -> list[dict[str, str]]:
    body = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(body, newline="")))


class TestAccess:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("role", Role)
    def test_opens_to_every_role(self, client, wallet, name, role):
        client.force_login(make_member(wallet.account, role))

        assert client.get(reverse(f"credits:{name}")).status_code == 200

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_asks_visitors_to_sign_in(self, client, path):
        assert "login" in client.get(path).url

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_is_read_only(self, browser, path):
        assert browser.post(path).status_code == 405

    def test_shows_nothing_of_another_account(self, client, wallet):
        other = make_wallet(make_account("Contoso"))
        client.force_login(make_member(other.account, Role.OWNER))

        assert client.get(PAGE).context["statement"].count == 0


class TestPeriod:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({}, "March 2026"),
            ({"month": "2026-03"}, "March 2026"),
            ({"month": "2026-02"}, "March 2026"),  # before its first entry
            ({"month": "x", "range": "y", "from": "z"}, "March 2026"),
            ({"range": "cycle"}, "March 2026"),  # it has none
            ({"from": "2020-01-01", "to": "2026-03-10"}, "1 Jan 2020 to 10 Mar 2026"),
            ({"from": "2000-01-01", "to": "2199-12-31"}, "1 Jan 2000 to 31 Dec 2199"),
            ({"from": "2026-03-10", "to": "2026-03-01"}, "March 2026"),
        ],
    )
    def test_is_what_is_asked_for_or_this_month(self, browser, query, words):
        assert f"Statement: {words} </h1>" in text_of(browser.get(PAGE, query))

    def test_is_of_the_time_zone_of_the_account(self, browser, wallet):
        """R16: in Berlin March begins an hour before, and ends two hours before."""
        march = statement_at(browser).period

        assert march.starts_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
        assert march.ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)

    def test_goes_by_cycles(self, browser, wallet):
        cycle = NOW + 10 * DAY
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=cycle,
            cycle_ends_at=cycle + 30 * DAY,
        )

        this = statement_at(browser, range="cycle").period
        last = statement_at(browser, range="last").period

        assert (this.starts_at, this.ends_at) == (cycle, cycle + 30 * DAY)
        assert (last.starts_at, last.ends_at) == (NOW, cycle)

    def test_says_when_it_is_not_over(self, browser):
        over = {"from": "2026-03-01", "to": "2026-03-20"}

        assert "This period is not over" in text_of(browser.get(PAGE))
        assert "This period is not over" not in text_of(browser.get(PAGE, over))

    @pytest.mark.parametrize("entries", ["-1", "x", "99999999999999999999", "1000"])
    def test_as_far_as_an_entry_that_is_not_there_is_all_of_it(self, browser, entries):
        assert statement_at(browser, entries=entries).count == 2

    def test_of_the_other_wallet_is_named_by_its_unit(self, browser, wallet):
        ledger.open_wallet(
            account_id=wallet.account_id, unit=WalletUnit.PREMIUM, at=NOW
        )

        answer = browser.get(CSV, {"unit": "PREMIUM"})

        assert len(rows_of(answer)) == 2
        assert "premium-statement-2026-03-01" in answer["Content-Disposition"]


class TestPage:
    def test_shows_whose_it_is_and_the_way_from_opening_to_closing(self, browser):
        text = text_of(browser.get(PAGE))

        assert "bills@northwind.example" in text
        assert "Germany" in text
        assert "Avatar IV, 1 min 12 s" in text
        assert "Monthly credits of entry 1<" in text
        assert text.count(">1,476<") == 3  # of the grant, the movement, the closing

    def test_shows_some_and_says_of_how_many(self, browser, monkeypatch):
        monkeypatch.setattr(view, "ROWS_SHOWN", 1)

        text = text_of(browser.get(PAGE))

        assert "These are the first 1 of 2 movements. All are in the files." in text

    def test_has_the_seal_of_its_files_whatever_comes_between(self, browser, wallet):
        page = browser.get(PAGE)
        use(wallet, line("look", 5), at=NOW + 2 * DAY)
        query = page.context["chosen"].query

        as_csv = rows_of(browser.get(CSV + query))
        file = browser.get(XLSX + query)
        sheet = openpyxl.load_workbook(io.BytesIO(file.getvalue())).active

        seal = page.context["statement"].seal
        assert seal in text_of(page)
        assert as_csv[-1]["SHA-256"] == seal
        assert [*sheet.values][-1][-1] == seal
        assert statement_at(browser).seal != seal

    def test_says_what_has_been_posted_since(self, browser, wallet):
        query = browser.get(PAGE).context["chosen"].query
        use(wallet, line("look", 5), at=NOW + 2 * DAY)

        text = text_of(browser.get(PAGE + query))

        assert "1 entry has been posted in this wallet since." in text


class TestFiles:
    def test_are_named_by_their_days(self, browser):
        for path, end in ((CSV, "csv"), (XLSX, "xlsx")):
            disposition = browser.get(path)["Content-Disposition"]

            assert f'filename="statement-2026-03-01-2026-03-31.{end}"' in disposition

    def test_have_all_lines(self, browser, monkeypatch):
        monkeypatch.setattr(view, "ROWS_SHOWN", 1)

        kinds = [row["Kind"] for row in rows_of(browser.get(CSV))]

        assert kinds == ["OPENING", "GRANT", "SPEND", "CLOSING"]

    def test_are_not_offered_as_xlsx_where_they_are_too_long(
        self, browser, monkeypatch
    ):
        monkeypatch.setattr(view, "MOVEMENTS_AS_XLSX", 1)

        assert XLSX not in text_of(browser.get(PAGE))
        assert browser.get(XLSX).status_code == 404
