"""Months counted from the anchor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from billing.core.periods import add_months, cycle, cycle_index, term


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


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
