"""Months of finance: where they begin, and in which of them a row belongs (R93)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.finance import months
from billing.finance.months import Month
from billing.models import ClosedMonth
from tests.conftest import NOW
from tests.factories import make_staff, make_wallet

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY, MARCH = (Month(date(2026, n, 1)) for n in (1, 2, 3))


def close(month: Month, **fields) -> ClosedMonth:
    """A closed month, as if there were no page for it."""
    values = {
        "month": month.first,
        "starts_at": month.starts_at,
        "ends_at": month.ends_at,
        "closed_at": month.ends_at + timedelta(days=3),
    }
    by = make_staff()
    return ClosedMonth.objects.create(closed_by=by, **values | fields)


def accounting_instant(business: datetime, recorded: datetime) -> datetime:
    sql = months.accounting_instant_sql("business", "recorded")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM (SELECT %s::timestamptz AS business,"  # noqa: S608
            " %s::timestamptz AS recorded) AS given",
            [business, recorded],
        )
        [instant] = cursor.fetchone()
    return instant


class TestMonth:
    def test_begins_and_ends_at_midnight_of_finance(self, settings):
        settings.FINANCE_TIME_ZONE = "America/New_York"

        assert MARCH.starts_at.astimezone(UTC) == datetime(2026, 3, 1, 5, tzinfo=UTC)
        assert MARCH.ends_at.astimezone(UTC) == datetime(2026, 4, 1, 4, tzinfo=UTC)
        assert months.month_of(datetime(2026, 3, 1, 4, tzinfo=UTC)) == FEBRUARY

    def test_has_neighbors_across_a_year(self):
        assert JANUARY.previous.next == JANUARY
        assert (JANUARY.previous.code, str(JANUARY)) == ("2025-12", "January 2026")

    @pytest.mark.parametrize(
        "code", ["", "2026", "2026-13", "2026-3-1", "x", "0-1", "9999-12"]
    )
    def test_is_read_from_its_code_only(self, code):
        assert months.parse("2026-03") == MARCH
        with pytest.raises(ValueError, match=r"time data|unconverted|none of our"):
            months.parse(code)


class TestFirstOpen:
    def test_is_that_of_the_first_grant(self):
        make_wallet(grants={"plan": (500, None)})

        assert months.first_open(at=NOW + timedelta(days=90)) == MARCH
        assert [m.code for m in months.months(at=NOW + timedelta(days=31))] == [
            "2026-03",
            "2026-04",
        ]

    def test_follows_the_last_one_closed(self):
        close(JANUARY)

        assert months.first_open(at=NOW) == FEBRUARY


class TestAccountingInstant:
    def test_is_a_rows_own_while_its_month_is_open(self):
        assert accounting_instant(JANUARY.starts_at, NOW) == JANUARY.starts_at

    def test_of_a_late_row_is_the_first_of_the_open_month(self):
        closing = close(JANUARY)
        moment = timedelta(microseconds=1)

        in_time = accounting_instant(JANUARY.starts_at, closing.closed_at - moment)
        late = accounting_instant(JANUARY.starts_at, closing.closed_at)

        assert in_time == JANUARY.starts_at
        assert late == FEBRUARY.starts_at

    def test_passes_over_every_month_that_was_closed_by_then(self):
        close(JANUARY)
        closing = close(FEBRUARY)

        late = accounting_instant(JANUARY.starts_at, closing.closed_at)

        assert late == MARCH.starts_at

    def test_lies_before_an_instant_if_both_bounds_say_so(self):
        """The one bound of a report decides as the instant of each row does."""
        close(JANUARY)
        close(FEBRUARY)
        days = [JANUARY.starts_at + timedelta(days=n / 2) for n in range(130)]
        bounds = [JANUARY.ends_at, FEBRUARY.ends_at, MARCH.ends_at, days[37]]

        for bound in bounds:
            until = months.recorded_before(bound)
            for business in days[::9]:
                for recorded in days[::7]:
                    both = business < bound and (until is None or recorded < until)
                    assert both == (accounting_instant(business, recorded) < bound)


class TestTheDatabase:
    def test_refuses_a_month_out_of_order(self):
        close(JANUARY)

        with pytest.raises(IntegrityError, match="closed_months_in_order"):
            close(MARCH)

    def test_refuses_a_month_that_is_not_over(self):
        with pytest.raises(IntegrityError, match="closed_month_is_over"):
            close(MARCH, closed_at=MARCH.ends_at - timedelta(seconds=1))

    def test_refuses_half_a_seal(self):
        with pytest.raises(IntegrityError, match="closed_month_sealed_whole"):
            close(JANUARY, figures={"closing": 1})

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE billing_closedmonth SET closed_at = now()",
            "UPDATE billing_closedmonth SET figures = '{}'",
            "DELETE FROM billing_closedmonth",
            "TRUNCATE billing_closedmonth",
        ],
    )
    def test_keeps_a_sealed_month(self, statement):
        sealed_at = JANUARY.ends_at + timedelta(days=4)
        close(JANUARY, figures={"closing": 1}, sha256="0" * 64, sealed_at=sealed_at)

        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
