"""Days of a time zone, with 23 and 25 hours where clocks change (R16)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from credits.core.spans import day_of, span_of_days, span_since

BERLIN = ZoneInfo("Europe/Berlin")


def hours(day) -> int:
    return (day.ends_at - day.starts_at) // timedelta(hours=1)


class TestSpanOfDays:
    @pytest.mark.parametrize(
        ("day", "zone", "length"),
        [
            (date(2026, 3, 28), "Europe/Berlin", 24),
            (date(2026, 3, 29), "Europe/Berlin", 23),
            (date(2026, 10, 25), "Europe/Berlin", 25),
            (date(2026, 3, 29), "UTC", 24),
            # Clocks skip midnight: the day begins at 1 o'clock.
            (date(2022, 9, 11), "America/Santiago", 23),
            (date(2022, 4, 2), "America/Santiago", 25),
        ],
    )
    def test_a_day_is_as_long_as_its_zone_says(self, day, zone, length):
        span = span_of_days(day, day, ZoneInfo(zone))

        assert [hours(one) for one in span.days] == [length]

    def test_days_follow_each_other_without_a_gap(self):
        span = span_of_days(date(2026, 3, 1), date(2026, 4, 30), BERLIN)

        assert len(span.days) == 61
        assert [one.ends_at for one in span.days[:-1]] == [
            one.starts_at for one in span.days[1:]
        ]
        assert (span.starts_at, span.ends_at) == (
            datetime(2026, 2, 28, 23, tzinfo=UTC),
            datetime(2026, 4, 30, 22, tzinfo=UTC),
        )


class TestSpanSince:
    def test_begins_within_its_first_day(self):
        began = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

        span = span_since(began, date(2026, 3, 12), BERLIN)

        assert span.starts_at == began
        assert [one.date.day for one in span.days] == [11, 12]


class TestDayOf:
    def test_is_the_date_of_the_zone(self):
        late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

        assert [day_of(late, zone).day for zone in (UTC, BERLIN)] == [10, 11]


class TestFirstWholeDay:
    @pytest.mark.parametrize(
        ("starts_at", "first"),
        [
            (datetime(2026, 3, 9, 23, tzinfo=UTC), date(2026, 3, 10)),
            (datetime(2026, 3, 9, 23, 0, 0, 1, tzinfo=UTC), date(2026, 3, 11)),
            (datetime(2026, 3, 10, 22, 59, tzinfo=UTC), date(2026, 3, 11)),
        ],
    )
    def test_is_the_first_to_begin_in_the_span(self, starts_at, first):
        span = span_since(starts_at, date(2026, 3, 10), BERLIN)

        assert span.first_whole_day == first
