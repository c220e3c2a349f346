"""Months counted from the anchor."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from billing.core.periods import (
    Span,
    add_months,
    cycle,
    cycle_index,
    month_after,
    months,
    term,
)
from credits.core.spans import day_of

# By hand: where the twelve months after an anchor begin (R11, R12).
YEARS = {
    "2026-01-28": "0228 0328 0428 0528 0628 0728 0828 0928 1028 1128 1228 0128",
    "2026-01-29": "0228 0329 0429 0529 0629 0729 0829 0929 1029 1129 1229 0129",
    "2026-01-30": "0228 0330 0430 0530 0630 0730 0830 0930 1030 1130 1230 0130",
    "2026-01-31": "0228 0331 0430 0531 0630 0731 0831 0930 1031 1130 1231 0131",
    "2028-01-29": "0229 0329 0429 0529 0629 0729 0829 0929 1029 1129 1229 0129",
    "2028-01-30": "0229 0330 0430 0530 0630 0730 0830 0930 1030 1130 1230 0130",
    "2028-01-31": "0229 0331 0430 0531 0630 0731 0831 0930 1031 1130 1231 0131",
    "2028-02-29": "0329 0429 0529 0629 0729 0829 0929 1029 1129 1229 0129 0228",
    "2027-08-31": "0930 1031 1130 1231 0131 0229 0331 0430 0531 0630 0731 0831",
    "2026-12-31": "0131 0228 0331 0430 0531 0630 0731 0831 0930 1031 1130 1231",
}
MONTHS = [
    (anchor, number, start)
    for anchor, starts in YEARS.items()
    for number, start in enumerate(starts.split(), start=1)
]
# By hand: a cycle over each change of clocks of 2026, and how late it is there then.
CLOCK_CHANGES = [
    ("Europe/Berlin", "2026-03-15", "10:30+01:00", "11:30+02:00"),
    ("Europe/Berlin", "2026-10-15", "11:30+02:00", "10:30+01:00"),
    ("America/New_York", "2026-02-15", "04:30-05:00", "05:30-04:00"),
    ("America/New_York", "2026-10-15", "05:30-04:00", "04:30-05:00"),
    ("Australia/Sydney", "2026-03-15", "20:30+11:00", "19:30+10:00"),
    ("Australia/Sydney", "2026-09-15", "19:30+10:00", "20:30+11:00"),
    ("America/Santiago", "2026-03-15", "06:30-03:00", "05:30-04:00"),
    ("America/Santiago", "2026-08-15", "05:30-04:00", "06:30-03:00"),
]
# By hand: the date there when a cycle of an anchor near midnight begins.
DATES = [
    ("2026-01-31T22:30", 0, "Europe/Berlin", "2026-01-31"),
    ("2026-01-31T22:30", 1, "Europe/Berlin", "2026-02-28"),
    ("2026-01-31T22:30", 2, "Europe/Berlin", "2026-04-01"),  # already summer time
    ("2026-01-31T22:30", 9, "Europe/Berlin", "2026-10-31"),
    ("2026-01-31T04:30", 0, "America/New_York", "2026-01-30"),
    ("2026-01-31T04:30", 1, "America/New_York", "2026-02-27"),
    ("2026-01-31T04:30", 2, "America/New_York", "2026-03-31"),
    ("2026-01-31T13:30", 0, "Australia/Sydney", "2026-02-01"),
    ("2026-01-31T13:30", 3, "Australia/Sydney", "2026-04-30"),  # winter time again
    ("2026-01-31T13:30", 9, "Australia/Sydney", "2026-11-01"),
    ("2026-01-31T03:30", 0, "America/Santiago", "2026-01-31"),
    ("2026-01-31T03:30", 3, "America/Santiago", "2026-04-29"),
]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestCalendar:
    @pytest.mark.parametrize(("anchor", "number", "start"), MONTHS)
    def test_of_every_month_is_exact(self, anchor, number, start):
        assert f"{add_months(day(anchor), number):%m%d}" == start

    @pytest.mark.parametrize(("anchor", "number", "start"), MONTHS)
    def test_knows_the_month_of_every_start(self, anchor, number, start):
        starts_at = add_months(day(anchor), number)

        moment = timedelta(microseconds=1)
        assert cycle_index(day(anchor), starts_at) == number
        assert cycle_index(day(anchor), starts_at - moment) == number - 1

    @pytest.mark.parametrize(("zone", "starts_on", "first", "last"), CLOCK_CHANGES)
    def test_counts_in_utc_over_changes_of_clocks(self, zone, starts_on, first, last):
        """R16: an hour more or less is nobody's loss, only another time of day."""
        span = cycle(day(f"{starts_on}T09:30"), 0)

        local = [
            moment.astimezone(ZoneInfo(zone))
            for moment in (span.starts_at, span.ends_at)
        ]
        assert [
            moment.isoformat()[11:16] + moment.isoformat()[19:] for moment in local
        ] == [
            first,
            last,
        ]
        assert (span.ends_at.hour, span.ends_at.minute) == (9, 30)

    @pytest.mark.parametrize(("anchor", "number", "zone", "expected"), DATES)
    def test_shows_the_date_of_the_zone(self, anchor, number, zone, expected):
        starts_at = cycle(day(anchor), number).starts_at

        assert day_of(starts_at, ZoneInfo(zone)) == date.fromisoformat(expected)


class TestAddMonths:
    @pytest.mark.parametrize(
        ("anchor", "months", "expected"),
        [
            ("2026-01-15", 1, "2026-02-15"),
            ("2026-01-31", 1, "2026-02-28"),
            ("2028-01-31", 1, "2028-02-29"),
            # From the anchor, not from 28 February: R11.
            ("2026-01-31", 2, "2026-03-31"),
            ("2026-01-31", 3, "2026-04-30"),
            ("2026-01-30", 1, "2026-02-28"),
            ("2026-10-31", 1, "2026-11-30"),
            ("2026-10-31", 2, "2026-12-31"),
            ("2026-10-31", 3, "2027-01-31"),
            ("2026-12-01", 1, "2027-01-01"),
            # R12: a year from a leap day, and back on it.
            ("2028-02-29", 12, "2029-02-28"),
            ("2028-02-29", 48, "2032-02-29"),
            ("2026-03-10", 0, "2026-03-10"),
            ("2026-03-31", -1, "2026-02-28"),
            ("2026-01-31", -2, "2025-11-30"),
        ],
    )
    def test_keeps_the_day_of_the_anchor_where_there_is_one(
        self, anchor, months, expected
    ):
        assert add_months(day(anchor), months) == day(expected)

    def test_keeps_the_time_of_day_to_the_microsecond(self):
        anchor = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)

        assert add_months(anchor, 1) == anchor.replace(month=2, day=28)

    def test_counts_in_utc_whatever_the_zone_of_the_anchor(self):
        # Still January at the anchor's place, already February in UTC.
        new_york = timezone(timedelta(hours=-5))
        anchor = datetime(2026, 1, 31, 22, 0, tzinfo=new_york)

        assert add_months(anchor, 1) == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class TestCycle:
    def test_ends_where_the_next_begins(self):
        anchor = day("2026-01-31")

        spans = [cycle(anchor, index) for index in range(40)]

        assert [span.ends_at for span in spans[:-1]] == [
            span.starts_at for span in spans[1:]
        ]

    def test_covers_its_first_instant_and_not_its_last(self):
        span = cycle(day("2026-01-31"), 1)

        moment = timedelta(microseconds=1)
        assert span.covers(span.starts_at)
        assert span.covers(span.ends_at - moment)
        assert not span.covers(span.ends_at)
        assert not span.covers(span.starts_at - moment)


class TestCycleIndex:
    @pytest.mark.parametrize(
        ("at", "index"),
        [
            ("2026-01-31", 0),
            ("2026-02-27", 0),
            ("2026-02-28", 1),
            ("2026-03-30", 1),
            ("2026-03-31", 2),
            ("2027-01-31", 12),
            ("2026-01-30", -1),
        ],
    )
    def test_is_the_number_of_the_month_that_covers_the_instant(self, at, index):
        assert cycle_index(day("2026-01-31"), day(at)) == index

    def test_agrees_with_the_cycles_on_every_boundary(self):
        anchor = day("2027-12-31")

        starts = [cycle(anchor, index).starts_at for index in range(-30, 60)]

        assert [cycle_index(anchor, at) for at in starts] == list(range(-30, 60))


class TestTerm:
    @pytest.mark.parametrize("index", [0, 5, 11])
    def test_is_the_year_that_a_month_belongs_to(self, index):
        span = term(day("2026-01-31"), index)

        assert span.starts_at == day("2026-01-31")
        assert span.ends_at == day("2027-01-31")

    def test_from_a_leap_day_renews_on_the_28th_and_again_on_the_29th(self):
        leap_day = day("2028-02-29")

        assert term(leap_day, 0).ends_at == day("2029-02-28")
        assert term(leap_day, 36).ends_at == day("2032-02-29")


class TestMonths:
    def test_of_a_month_are_itself(self):
        paid = Span(day("2026-02-28"), day("2026-03-31"))

        assert months(paid, day("2026-01-31")) == [paid]

    def test_of_a_year_are_twelve_that_follow_each_other(self):
        paid = Span(day("2026-01-31"), day("2027-01-31"))

        found = months(paid, day("2026-01-31"))

        assert [span.starts_at for span in found[1:]] == [s.ends_at for s in found[:-1]]
        assert (len(found), found[1].starts_at) == (12, day("2026-02-28"))

    def test_of_a_year_from_a_leap_day_keep_the_29th(self):
        """R12, R13: the second year begins on the 28th, its months on the 29th."""
        paid = Span(day("2029-02-28"), day("2030-02-28"))

        found = months(paid, day("2028-02-29"))

        assert [span.starts_at.day for span in found] == [28, *[29] * 11]
        assert found[-1].ends_at == paid.ends_at

    def test_of_a_term_that_another_anchor_made_are_counted_from_its_beginning(self):
        """R30: the term was paid before the anchor moved."""
        paid = Span(day("2026-01-15"), day("2026-02-15"))

        assert months(paid, day("2026-02-03")) == [paid]


class TestMonthAfter:
    @pytest.mark.parametrize(
        ("starts_on", "ends_on", "until"),
        [
            ("2026-01-31", "2026-02-28", "2026-03-31"),
            ("2026-02-28", "2026-03-31", "2026-04-30"),
            ("2027-12-31", "2028-01-31", "2028-02-29"),
        ],
    )
    def test_is_where_credits_roll_over_to(self, starts_on, ends_on, until):
        """R14. Counted from the last reset, it would end on 28 March (R11)."""
        paid = Span(day(starts_on), day(ends_on))

        after = month_after(paid, day("2026-01-31"))

        assert after == Span(day(ends_on), day(until))
