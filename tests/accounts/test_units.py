from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import translation

from accounts.models import User
from accounts.templatetags import units
from accounts.templatetags.units import MINUS
from tests.conftest import NOW

SUMMER = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


class TestCredits:
    @pytest.mark.parametrize(
        ("amount", "shown"),
        [
            (0, "0"),
            (24, "24"),
            (1_500, "1,500"),
            (1_234_567, "1,234,567"),
            (-24, f"{MINUS}24"),
        ],
    )
    def test_are_grouped(self, amount, shown):
        assert units.credits(amount) == shown

    @pytest.mark.parametrize(
        ("amount", "shown"), [(500, "+500"), (-1_024, f"{MINUS}1,024"), (0, "0")]
    )
    def test_of_a_movement_carry_their_sign(self, amount, shown):
        assert units.signed_credits(amount) == shown

    @pytest.mark.parametrize(
        ("amount", "shown"),
        [(0, "0 credits"), (1, "1 credit"), (1_500, "1,500 credits")],
    )
    def test_have_a_plural(self, amount, shown):
        assert units.plural_credits(amount) == shown


class TestMoney:
    @pytest.mark.parametrize(
        ("cents", "currency", "shown"),
        [
            (1_500, "usd", "$15.00"),
            (-1_500, "usd", f"{MINUS}$15.00"),
            (5, "EUR", "€0.05"),
            (123_456_789, "gbp", "£1,234,567.89"),
            (1_500, "sek", "15.00 SEK"),
            (-7, "sek", f"{MINUS}0.07 SEK"),
        ],
    )
    def test_is_exact(self, cents, currency, shown):
        assert units.money(cents, currency) == shown


class TestDuration:
    @pytest.mark.parametrize(
        ("milliseconds", "shown"),
        [
            (0, "0 s"),
            (500, "0.5 s"),
            (5_000, "5 s"),
            (60_000, "1 min"),
            (72_000, "1 min 12 s"),
            (72_050, "1 min 12.05 s"),
            (3_600_000, "1 h"),
            (3_605_000, "1 h 5 s"),
        ],
    )
    def test_uses_the_units_it_needs(self, milliseconds, shown):
        assert units.duration(milliseconds) == shown


class TestMoment:
    @pytest.mark.parametrize(
        ("zone", "shown"),
        [
            ("UTC", "1 Jul 2026, 22:30 UTC"),
            ("Europe/Berlin", "2 Jul 2026, 00:30 UTC+2"),
            ("America/St_Johns", f"1 Jul 2026, 20:00 UTC{MINUS}2:30"),
            ("Asia/Kathmandu", "2 Jul 2026, 04:15 UTC+5:45"),
            ("Nowhere/Land", "1 Jul 2026, 22:30 UTC"),
        ],
    )
    def test_names_its_offset(self, zone, shown):
        assert units.moment(SUMMER, zone) == shown


class TestCalendarDay:
    def test_is_the_date_in_the_zone(self):
        assert units.calendar_day(SUMMER, "Europe/Berlin") == "2 Jul 2026"


class TestDaysInWords:
    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            (date(2026, 7, 1), date(2026, 7, 1), "Wed_1_Jul_2026"),
            (date(2026, 7, 1), date(2026, 7, 5), "1_Jul to 5_Jul_2026"),
            (date(2026, 8, 31), date(2026, 9, 6), "31_Aug to 6_Sep_2026"),
            (date(2025, 12, 29), date(2026, 1, 4), "29_Dec_2025 to 4_Jan_2026"),
        ],
    )
    def test_break_no_date(self, first, last, words):
        shown = units.days_in_words(first, last)

        assert shown.replace("\N{NO-BREAK SPACE}", "_") == words

    def test_follow_the_language(self):
        with translation.override("de"):
            assert units.days_in_words(SUMMER, SUMMER).split()[0] == "Mi"


class TestWhenTag:
    def test_shows_the_zone_of_the_viewer_and_utc_on_hover(self):
        context = {"at": SUMMER, "user": User(time_zone="Europe/Berlin")}

        shown = Template("{% when at %}").render(Context(context))

        assert shown == (
            '<time datetime="2026-07-01T22:30:00+00:00" title="1 Jul 2026, 22:30 UTC">'
            "2 Jul 2026, 00:30 UTC+2</time>"
        )

    def test_shows_utc_to_a_visitor(self):
        shown = Template("{% day at %}").render(Context({"at": SUMMER}))

        assert ">1 Jul 2026</time>" in shown

    @pytest.mark.parametrize("tag", ["when", "day"])
    def test_shows_a_dash_for_what_has_not_happened(self, tag):
        assert (
            Template(f"{{% {tag} at %}}").render(Context({"at": None})) == "\N{EN DASH}"
        )

    def test_survives_seconds_of_offset_far_in_the_past(self):
        long_ago = NOW - timedelta(days=365 * 200)

        assert units.moment(long_ago, "Europe/Berlin").endswith("UTC+0:53")


class TestCreditCells:
    def test_are_the_same_amounts_in_cells(self):
        cells = units.credit_cells([1_234_567, 0, -1_500])

        assert cells == "<td>1,234,567</td><td>0</td><td>\N{MINUS SIGN}1,500</td>"
