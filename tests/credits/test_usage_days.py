"""Days added up ahead: they make pages quicker and change no figure."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import (
    IntegrityError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from credits import audits, ledger, tasks, usage, usage_days
from credits.core.spans import day_of, span_of_days, span_since
from credits.models import LedgerEntry, UsageDay, UsageLine, UsageMark, UsageWeek
from tests.conftest import NOW
from tests.credits.usage_jobs import absorb, give_back, hold, line, release, use
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "America/Havana", "Africa/Cairo"),
]


@pytest.fixture
def wallet(db):
    account = make_account("Northwind", time_zone="Europe/Berlin")
    return make_wallet(account, {"plan": (100_000, None)})


def add_up(wallet, zone="UTC") -> int:
    return usage_days.add_up(wallet.pk, zone)


def rows(wallet, span, zone=UTC) -> Counter[tuple[date, str, str]]:
    """What the page adds up, by day, feature and member."""
    found = usage.rows_of(wallet.pk, span=span, zone=zone)
    return Counter({(row.date, row.feature, row.member): row.credits for row in found})


def ledger_rows(wallet, span, zone=UTC) -> Counter[tuple[date, str, str]]:
    """The same, by Python, from each movement."""
    lines = UsageLine.objects.filter(wallet_id=wallet.pk).select_related("entry")
    back = LedgerEntry.objects.filter(wallet=wallet, kind="REVERSE")
    moved = [
        *((one.entry, one.feature, one.entry.member, one.credits) for one in lines),
        *((one, "given-back", one.reverses.member, -one.credits) for one in back),
    ]
    total = Counter()
    for entry, feature, member, credits in moved:
        if span.starts_at <= entry.occurred_at < span.ends_at:
            total[day_of(entry.occurred_at, zone), feature, member] += credits
    return total


def busy_days(wallet, starts_at, *, hours=72) -> list[ledger.Spent]:
    """A job for each twenty minutes, by turns of two members and three features."""
    return [
        use(
            wallet,
            line(("look", "image", "speech")[n % 3], n + 1),
            member=("ann@x.example", "")[n % 2],
            at=starts_at + n * HOUR / 3,
        )
        for n in range(hours * 3)
    ]


def a_job_a_day(wallet, *, days) -> None:
    """By turns of two members and three features, from NOW on."""
    for n in range(days):
        feature, member = (
            ("look", "image", "speech")[n % 3],
            ("ann@x.example", "")[n % 2],
        )
        use(wallet, line(feature, n + 1), member=member, at=NOW + n * DAY)


def records(wallet, *, first=0, last=104, **asked: str) -> usage.Records:
    """What the page shows of days from NOW on: too many to tell it by day."""
    span = span_of_days(NOW.date() + first * DAY, NOW.date() + last * DAY, UTC)
    assert span.is_by_week
    return usage.records_of(wallet.pk, span=span, zone=UTC, **asked)


def as_the_owner(statement: str) -> None:
    """What no function does: the application may not write these tables."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)


def rows_read(table: str = "credits_ledgerentry") -> int:
    """How many rows of the ledger this transaction has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname = %s",
            [table],
        )
        [read] = cursor.fetchone()
    return read


class TestDays:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize(
        "change",
        [
            *(date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25)),
            *(date(2026, 10, 30), date(2026, 11, 1)),
        ],
    )
    def test_are_those_of_the_zone_when_clocks_change(self, wallet, zone, change):
        zone = ZoneInfo(zone)
        busy_days(wallet, datetime.combine(change - DAY, time.min, tzinfo=UTC))
        span = span_of_days(change - 2 * DAY, change + 3 * DAY, zone)

        add_up(wallet, zone.key)

        assert rows(wallet, span, zone) == ledger_rows(wallet, span, zone)
        assert rows(wallet, span, zone).total() == 216 * 217 // 2

    @pytest.mark.parametrize("hours", [0, 1, 11, 23, 24, 36])
    def test_leave_the_day_on_which_a_span_begins_to_its_entries(self, wallet, hours):
        busy_days(wallet, NOW)
        span = span_since(NOW + hours * HOUR, NOW.date() + 9 * DAY, BERLIN)

        add_up(wallet, "Europe/Berlin")

        assert rows(wallet, span, BERLIN) == ledger_rows(wallet, span, BERLIN)

    def test_end_where_a_span_does(self, wallet):
        busy_days(wallet, NOW)
        span = span_of_days(NOW.date(), NOW.date(), UTC)

        add_up(wallet)

        assert rows(wallet, span) == ledger_rows(wallet, span)

    def test_are_followed_by_what_came_since(self, wallet):
        first, *_ = busy_days(wallet, NOW, hours=5)
        add_up(wallet)
        busy_days(wallet, NOW + 5 * HOUR)
        give_back(first, credits=1, at=NOW + 30 * HOUR)
        span = span_of_days(NOW.date(), NOW.date() + 9 * DAY, UTC)

        found = rows(wallet, span)

        assert found == ledger_rows(wallet, span)
        assert found[NOW.date() + DAY, "given-back", "ann@x.example"] == -1

    def test_take_in_a_job_that_was_reported_late(self, wallet):
        busy_days(wallet, NOW)
        add_up(wallet)
        use(wallet, line(credits=1_000), at=NOW - 2 * DAY)
        use(wallet, line(credits=2_000), at=NOW + HOUR)
        span = span_of_days(NOW.date() - 3 * DAY, NOW.date() + 9 * DAY, UTC)

        late = rows(wallet, span)
        add_up(wallet)

        assert late == rows(wallet, span) == ledger_rows(wallet, span)
        assert late[NOW.date() - 2 * DAY, "look", ""] == 1_000

    def test_find_a_late_job_on_the_day_on_which_a_span_begins(self, wallet):
        busy_days(wallet, NOW)
        use(wallet, line(credits=1_000), at=NOW + HOUR)
        add_up(wallet)
        span = span_since(NOW + HOUR / 2, NOW.date() + 9 * DAY, UTC)

        assert rows(wallet, span) == ledger_rows(wallet, span)

    def test_know_of_all_that_a_page_shows(self, wallet):
        absorb(hold(wallet, 10, member="ann@x.example"), line(credits=12))
        release(hold(wallet, 5, member="ann@x.example"))
        give_back(use(wallet, line("image", 6, 3)), credits=4)
        span = span_of_days(NOW.date(), NOW.date(), UTC)
        before = usage.records_of(wallet.pk, span=span, zone=UTC)

        add_up(wallet)

        assert usage.records_of(wallet.pk, span=span, zone=UTC) == before
        assert before.not_charged == {"ann@x.example": 1}
        assert {row.feature: row.credits for row in before.by_stretch} == {
            "absorbed": -2,
            "image": 6,
            "look": 12,
            "given-back": -4,
        }

    @pytest.mark.parametrize("chunks", [1, 2, 5, 20])
    def test_may_stop_half_way(self, wallet, monkeypatch, chunks):
        monkeypatch.setattr(usage_days, "CHUNK", 17)
        busy_days(wallet, NOW)
        span = span_of_days(NOW.date(), NOW.date() + 9 * DAY, UTC)

        added = sum(add_up(wallet) for _ in range(chunks))

        assert added == min(17 * chunks, 217)
        assert UsageMark.objects.get().seq == added
        assert rows(wallet, span) == ledger_rows(wallet, span)

    def test_lose_nothing_when_adding_up_fails(self, wallet):
        busy_days(wallet, NOW)
        span = span_of_days(NOW.date(), NOW.date() + 9 * DAY, UTC)

        with pytest.raises(ZeroDivisionError), transaction.atomic():
            _ = add_up(wallet) // 0

        assert not UsageDay.objects.exists()
        assert rows(wallet, span) == ledger_rows(wallet, span)

    def test_serve_forecasts(self, wallet):
        busy_days(wallet, NOW)
        starts = [NOW, NOW + 7 * HOUR, NOW + 12 * HOUR]
        before = usage.used_since(wallet.pk, starts)

        add_up(wallet)

        assert usage.used_since(wallet.pk, starts) == before
        assert before[0] == 216 * 217 // 2

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_spare_their_readers_the_entries(self, wallet):
        busy_days(wallet, NOW)
        add_up(wallet)
        use(wallet, line())
        span = span_of_days(NOW.date(), NOW.date() + 9 * DAY, UTC)
        # Of a table that it believes to be empty, PostgreSQL takes any index.
        as_the_owner("ANALYZE credits_ledgerentry")

        with transaction.atomic():
            before = rows_read()
            usage.records_of(wallet.pk, span=span, zone=UTC)
            read = rows_read() - before

        assert read == 1

    @pytest.mark.parametrize(
        "table", ["credits_usagemark", "credits_usageday", "credits_usageweek"]
    )
    @pytest.mark.parametrize(
        "statement",
        ["INSERT INTO {0} DEFAULT VALUES", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"],
    )
    def test_are_written_by_functions_only(self, db, table, statement):
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.cursor().execute(statement.format(table))

    def test_agree_with_verify_ledger(self, wallet):
        busy_days(wallet, NOW)
        add_up(wallet)
        add_up(wallet, "Europe/Berlin")
        use(wallet, line())

        assert audits.verify() == []


class TestWeeks:
    @pytest.mark.parametrize("cut", range(1, 8))  # there are jobs before and after
    def test_leave_what_is_of_no_whole_week_to_its_days(self, wallet, cut):
        a_job_a_day(wallet, days=107)
        before = records(wallet, first=cut, last=98 + cut)

        add_up(wallet)

        assert records(wallet, first=cut, last=98 + cut) == before
        assert sum(row.credits for row in before.by_stretch) == sum(
            range(cut + 1, cut + 100)
        )

    @pytest.mark.parametrize(
        "asked", [{"feature": "image"}, {"member": "-"}, {"member": "ann@x.example"}]
    )
    def test_know_what_is_asked_for(self, wallet, asked):
        a_job_a_day(wallet, days=105)
        before = records(wallet, **asked)

        add_up(wallet)

        assert records(wallet, **asked) == before

    def test_take_in_a_job_that_was_reported_late(self, wallet):
        a_job_a_day(wallet, days=105)
        add_up(wallet)
        use(wallet, line(credits=1_000), at=NOW + 9 * DAY)
        late = records(wallet)

        add_up(wallet)

        assert records(wallet) == late
        assert sum(row.credits for row in late.by_stretch) == 105 * 106 // 2 + 1_000
        assert audits.verify() == []

    @pytest.mark.parametrize("chunks", [1, 2, 5, 20])
    def test_are_added_up_with_their_days(self, wallet, monkeypatch, chunks):
        monkeypatch.setattr(usage_days, "CHUNK", 17)
        a_job_a_day(wallet, days=105)
        before = records(wallet)

        for _ in range(chunks):
            add_up(wallet)

        assert records(wallet) == before
        assert audits.verify() == []

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_spare_their_readers_the_days(self, wallet):
        a_job_a_day(wallet, days=105)
        add_up(wallet)
        as_the_owner("ANALYZE credits_usageday")

        with transaction.atomic():
            before = rows_read("credits_usageday")
            records(wallet, last=103)  # from a Tuesday to a Sunday
            read = rows_read("credits_usageday") - before

        assert read == 6

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_follow_days_that_an_earlier_version_added_up(self, wallet, monkeypatch):
        monkeypatch.setattr(usage_days, "LONG_TAIL", 10)
        a_job_a_day(wallet, days=105)
        before = records(wallet)
        usage_days.add_up(wallet.pk, "Europe/Berlin")
        add_up(wallet)
        as_the_owner(
            "UPDATE credits_usagemark SET weeks_seq = 0 WHERE zone = 'UTC';"
            "DELETE FROM credits_usageweek AS sums USING credits_usagemark AS mark"
            " WHERE mark.id = sums.mark_id AND zone = 'UTC' AND week > '2026-04-01'"
        )

        without = records(wallet)
        due = usage_days.due()
        add_up(wallet)

        assert without == before == records(wallet)
        assert due == [(wallet.pk, "UTC")]
        assert usage_days.due() == []
        assert audits.verify() == []

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_begin_on_a_monday(self, wallet):
        a_job_a_day(wallet, days=1)
        add_up(wallet)

        with pytest.raises(IntegrityError, match="usage_week_begins_on_monday"):
            as_the_owner("UPDATE credits_usageweek SET week = week + 1")

        assert UsageWeek.objects.get().week.isoformat() == "2026-03-09"


class TestDue:
    @pytest.fixture(autouse=True)
    def _short_tail(self, monkeypatch):
        monkeypatch.setattr(usage_days, "LONG_TAIL", 10)

    def test_are_busy_wallets_in_their_zone_and_in_utc(self, wallet):
        make_wallet(grants={"plan": (1, None)})
        busy_days(wallet, NOW, hours=3)

        assert usage_days.due() == [(wallet.pk, "Europe/Berlin"), (wallet.pk, "UTC")]

    def test_are_not_those_with_little_to_add(self, wallet):
        busy_days(wallet, NOW, hours=3)
        add_up(wallet)
        busy_days(wallet, NOW, hours=3)

        assert usage_days.due() == [(wallet.pk, "Europe/Berlin")]

    def test_are_added_up_by_the_sweeper(self, wallet, monkeypatch):
        monkeypatch.setattr(usage_days, "CHUNK", 7)
        busy_days(wallet, NOW)

        tasks.add_usage_up()

        marks = UsageMark.objects.values_list("zone", "seq").order_by("zone")
        assert [*marks] == [("Europe/Berlin", 217), ("UTC", 217)]
        assert usage_days.due() == []
