"""The usage page and its CSV."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Role
from credits import ledger
from credits.forms import UsageRange
from credits.spreadsheets import csv_lines
from credits.views import usage as usage_view
from tests.conftest import NOW
from tests.credits.usage_jobs import absorb, give_back, hold, line, release, use
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

DAY = timedelta(days=1)
PAGE, CSV = "/usage/", "/usage/usage.csv"


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    """The page reads the clock of the tests."""
    monkeypatch.setattr(usage_view, "now", lambda: NOW)


@pytest.fixture
def wallet(db):
    account = make_account("Northwind", time_zone="Europe/Berlin")
    return make_wallet(account, {"plan": (1_500, None)})


@pytest.fixture
def browser(client, wallet):
    client.force_login(make_member(wallet.account, Role.MEMBER))
    return client


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def rows_of(response) -> list[list[str]]:
    body = b"".join(response.streaming_content).decode()
    return list(csv.reader(body.splitlines()))


class TestAccess:
    @pytest.mark.parametrize("name", ["credits:usage", "credits:usage_csv"])
    @pytest.mark.parametrize("role", Role)
    def test_opens_to_every_role(self, client, wallet, name, role):
        client.force_login(make_member(wallet.account, role))

        assert client.get(reverse(name)).status_code == 200

    @pytest.mark.parametrize("path", [PAGE, CSV])
    def test_asks_visitors_to_sign_in(self, client, path):
        assert "login" in client.get(path).url

    @pytest.mark.parametrize("path", [PAGE, CSV])
    def test_is_read_only(self, browser, path):
        assert browser.post(path).status_code == 405

    def test_shows_nothing_of_another_account(self, client, wallet):
        use(wallet, line(credits=7))
        other = make_wallet(make_account("Contoso"))
        client.force_login(make_member(other.account, Role.OWNER))

        assert "No usage in the last 30 days" in text_of(client.get(PAGE))


class TestRange:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({}, "the last 30 days"),
            ({"range": "7"}, "the last 7 days"),
            ({"range": "x"}, "the last 30 days"),
            ({"range": "cycle"}, "the last 30 days"),
            (
                {"from": "2026-02-01", "to": "2026-02-09"},
                "the days from 1 Feb 2026 to 9 Feb 2026",
            ),
            # What is still to come is left out of what has begun.
            (
                {"from": "2026-03-01", "to": "2026-12-31"},
                "the days from 1 Mar 2026 to 10 Mar 2026",
            ),
            (
                {"from": "2026-12-01", "to": "2026-12-20"},
                "the days from 1 Dec 2026 to 20 Dec 2026",
            ),
        ],
    )
    def test_is_said_when_it_is_empty(self, browser, query, words):
        assert f"No usage in {words}" in text_of(browser.get(PAGE, query))

    def test_is_said_without_a_break_in_a_date(self, browser):
        text = browser.get(PAGE, {"from": "2026-02-01", "to": "2026-02-09"}).content

        assert "from 1_Feb_2026 to 9_Feb_2026".replace("_", "\xa0") in text.decode()

    def test_of_the_cycle_begins_where_the_cycle_does(self, browser, wallet):
        use(wallet, line(credits=5), at=NOW)
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=NOW + timedelta(microseconds=1),
            cycle_ends_at=NOW + 30 * DAY,
        )
        use(wallet, line(credits=3), at=NOW + timedelta(hours=1))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(usage_view, "now", lambda: NOW + DAY)
            page = browser.get(PAGE, {"range": "cycle"})

        assert page.context["report"].total == 3
        assert "Used in this cycle" in text_of(page)

    def test_follows_the_days_of_the_account(self, browser, wallet):
        use(wallet, line(credits=5), at=NOW)
        late = NOW.replace(hour=23, minute=30)  # the 11th in Berlin
        use(wallet, line(credits=3), at=late)

        query = {"from": "2026-03-10", "to": "2026-03-10"}

        assert browser.get(PAGE, query).context["report"].total == 5

    @pytest.mark.parametrize(
        ("sent", "errors"),
        [
            ({"from": "2026-03-01"}, {"to": ["Enter both dates."]}),
            ({"to": "2026-03-01"}, {"from": ["Enter both dates."]}),
            (
                {"from": "2026-03-02", "to": "2026-03-01"},
                {"to": ["Enter a date that is not before the first."]},
            ),
            (
                {"from": "2025-03-01", "to": "2026-03-02"},
                {"to": ["Choose at most a year."]},
            ),
            (
                {"from": "2026-02-30", "to": "2026-03-02"},
                {"from": ["Enter a valid date."]},
            ),
        ],
    )
    def test_refuses_dates_that_make_no_range(self, sent, errors):
        form = UsageRange(sent)

        assert not form.is_valid()
        assert form.errors == errors

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_survives_the_ends_of_the_calendar(self, browser, day):
        assert browser.get(PAGE, {"from": day, "to": day}).status_code == 200


class TestUsagePage:
    def test_shows_the_same_total_everywhere(self, browser, wallet):
        spent = use(wallet, line("image", 240, 120), member="ann@x.example")
        give_back(spent, credits=40)

        text = text_of(browser.get(PAGE))

        assert (
            text.count(">200<") == 4
        )  # of features, of the member and members, of the day
        assert '<p class="usage-total">200 ' in text
        assert "Given back" in text
        assert "\N{MINUS SIGN}40" in text

    def test_says_what_the_chart_shows(self, browser, wallet):
        use(wallet, line("image", 240, 120))
        use(wallet, line("look", 1), at=NOW - DAY)

        text = text_of(browser.get(PAGE))

        assert "Most went to Image: 240 credits." in text
        assert "The busiest day was Tue 10 Mar 2026 with 240 credits." in text
        assert '<th scope="row">Tue 10 Mar 2026, so far</th>' in text

    def test_says_which_days_a_week_holds(self, browser, wallet):
        use(wallet, line("image", 240, 120), at=NOW - 97 * DAY)
        use(wallet, line("look", 1), at=NOW - 6 * DAY)

        page = browser.get(PAGE, {"from": "2025-12-01", "to": "2026-03-06"})

        text = text_of(page)
        assert "The busiest week was 1 Dec to 7 Dec 2025 with 240 credits." in text
        assert '<th scope="col">Week</th>' in text
        assert '<th scope="row">2 Mar to 6 Mar 2026</th>' in text

    def test_gives_the_chart_the_words_of_its_tables(self, browser, wallet):
        use(wallet, line(), at=NOW - 180 * DAY)

        page = browser.get(PAGE, {"from": "2025-09-10", "to": "2026-03-10"})

        chart = page.context["chart"]
        assert chart["labels"][:2] == ["10 Sep", "15 Sep"]
        assert chart["titles"] == [bar.label for bar in page.context["report"].bars]

    def test_keeps_the_filters_in_its_links(self, browser, wallet):
        use(wallet, line("image", 240, 120), member="ann@x.example")

        page = browser.get(PAGE, {"member": "ann@x.example", "range": "7"})

        text = text_of(page)
        assert "?range=90&amp;member=ann%40x.example" in text
        assert f"{CSV}?member=ann%40x.example&amp;range=7" in text
        assert '<option value="ann@x.example" selected>' in text

    def test_keeps_a_filter_that_fits_nothing_in_sight(self, browser, wallet):
        use(wallet, line())

        text = text_of(browser.get(PAGE, {"member": "\x00<zoe>"}))

        assert "Nothing that fits the filters was used then." in text
        assert "&lt;zoe&gt;</option>" in text

    @pytest.mark.parametrize(("days_ago", "is_said"), [(0, True), (1, False)])
    def test_explains_the_hatched_bar_where_there_is_one(
        self, browser, wallet, days_ago, is_said
    ):
        use(wallet, line(), at=NOW - days_ago * DAY)

        text = text_of(browser.get(PAGE))

        assert ("Today is hatched: it is not over." in text) == is_said

    def test_says_what_a_feature_leaves_out(self, browser, wallet):
        use(wallet, line("image", 4, 2))
        give_back(use(wallet, line("look", 1)))
        absorb(hold(wallet, 10), line(credits=12))

        text = text_of(browser.get(PAGE, {"feature": "image"}))

        assert (
            "What belongs to whole jobs shows only without a feature chosen:"
            " Above the quote, not charged; Given back." in text
        )

    def test_of_a_feature_does_not_mention_what_is_not_there(self, browser, wallet):
        use(wallet, line("image", 4, 2))

        text = text_of(browser.get(PAGE, {"feature": "image"}))

        assert "whole jobs" not in text

    def test_says_what_was_not_charged_and_what_is_held(self, browser, wallet):
        use(wallet, line())
        release(hold(wallet, 9))
        hold(wallet, 60)

        text = text_of(browser.get(PAGE))

        assert "1 job that failed, was canceled or ran out of time was not" in text
        assert "60 credits held for running jobs are not counted" in text

    def test_takes_the_same_queries_for_much_usage(
        self, browser, wallet, django_assert_num_queries
    ):
        for n in range(9):
            use(wallet, line(), member=f"{n}@x.example", at=NOW - n * DAY)
        browser.get(PAGE)

        # Session, user, membership, wallet and the records.
        with django_assert_num_queries(5):
            browser.get(PAGE)


class TestCsv:
    def test_has_the_rows_that_the_page_adds_up(self, browser, wallet):
        spent = use(wallet, line("avatar-iv", 20, 60_000), member="ann@x.example")
        use(wallet, line("image", 4, 2))
        give_back(spent, credits=5)

        response = browser.get(CSV)

        assert rows_of(response) == [
            ["Date", "Feature", "Member", "Quantity", "Unit", "Credits"],
            ["2026-03-10", "Avatar IV", "ann@x.example", "60000", "ms", "20"],
            ["2026-03-10", "Image", "", "2", "image", "4"],
            ["2026-03-10", "Given back", "ann@x.example", "", "", "-5"],
        ]
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == (
            'attachment; filename="usage-2026-02-09-2026-03-10.csv"'
        )

    def test_follows_the_filters(self, browser, wallet):
        use(wallet, line("image", 4, 2))
        use(wallet, line("look", 1))

        [_, row] = rows_of(browser.get(CSV, {"feature": "look"}))

        assert row[1] == "Look"

    @pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"])
    def test_makes_no_formula_of_a_text(self, mark):
        text = "".join(csv_lines(["Member"], [[f"{mark}1+1"]]))

        row = text.removeprefix("Member\r\n")
        assert row.strip('"').startswith(f"'{mark}")

    def test_leaves_numbers_as_they_are(self):
        assert "".join(csv_lines(["Credits"], [[-5]])) == "Credits\r\n-5\r\n"

    def test_is_sent_many_lines_at_a_time(self):
        pieces = [*csv_lines(["Credits"], [[-n] for n in range(250)])]

        assert len(pieces) == 3
        assert "".join(pieces).splitlines()[-1] == "-249"
