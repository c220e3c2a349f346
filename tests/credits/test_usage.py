"""Usage by day, feature and member: what the ledger moved, added up (R16)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from credits import usage, usage_report
from credits.core.spans import span_of_days
from credits.models import EntryKind, LedgerEntry
from tests.conftest import NOW
from tests.credits.usage_jobs import absorb, give_back, hold, line, release, use
from tests.factories import make_wallet

pytestmark = pytest.mark.usefixtures("rates")

DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = NOW.date()


@pytest.fixture
def wallet(db):
    return make_wallet(grants={"plan": (10_000, None)})


def rows(wallet, *, days=30, until=TODAY, zone=UTC) -> tuple[usage.UsageRow, ...]:
    span = span_of_days(until - (days - 1) * DAY, until, zone)
    return usage.rows_of(wallet.pk, span=span, zone=zone)


def records(wallet, *, days=30, **asked) -> usage.Records:
    span = span_of_days(TODAY - (days - 1) * DAY, TODAY, UTC)
    return usage.records_of(wallet.pk, span=span, zone=UTC, **asked)


def report(wallet, *, at=NOW, **asked) -> usage_report.UsageReport:
    return usage_report.report_on(records(wallet, **asked), zone=UTC, at=at)


def shares(shares_) -> dict[str, int]:
    return {share.label: share.credits for share in shares_}


def ledger_total(wallet) -> int:
    kinds = [EntryKind.SPEND, EntryKind.CAPTURE, EntryKind.REVERSE]
    ours = LedgerEntry.objects.filter(wallet=wallet, kind__in=kinds)
    return -ours.aggregate(sum=Sum("credits"))["sum"]


class TestRows:
    def test_group_by_day_feature_and_member(self, wallet):
        use(wallet, line("look", 2), line("image", 6, 3), member="ann@x.example")
        use(wallet, line("look", 5), member="ann@x.example")
        use(wallet, line("look", 7), member="ben@x.example")

        found = rows(wallet)

        assert [
            (row.label, row.member, row.quantity, row.credits) for row in found
        ] == [
            ("Image", "ann@x.example", 3, 6),
            ("Look", "ann@x.example", 7, 7),
            ("Look", "ben@x.example", 7, 7),
        ]

    def test_count_a_job_on_the_day_of_the_zone(self, wallet):
        use(wallet, line(credits=1), at=datetime(2026, 3, 10, 22, 59, tzinfo=UTC))
        use(wallet, line(credits=2), at=datetime(2026, 3, 10, 23, 0, tzinfo=UTC))

        found = rows(wallet, until=date(2026, 3, 11), zone=BERLIN)

        assert [(row.date.day, row.credits) for row in found] == [(10, 1), (11, 2)]

    def test_take_the_first_instant_of_a_range_and_not_the_last(self, wallet):
        span = span_of_days(date(2026, 3, 11), date(2026, 3, 11), UTC)
        use(wallet, line(credits=1), at=span.starts_at - timedelta(microseconds=1))
        use(wallet, line(credits=2), at=span.starts_at)
        use(wallet, line(credits=4), at=span.ends_at)

        found = usage.rows_of(wallet.pk, span=span, zone=UTC)

        assert [row.credits for row in found] == [2]

    def test_put_the_hour_that_happens_twice_on_one_day_of_25_hours(self, wallet):
        span = span_of_days(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
        for hour in range(26):
            use(wallet, line(credits=1), at=span.starts_at + hour * timedelta(hours=1))

        [row] = usage.rows_of(wallet.pk, span=span, zone=BERLIN)

        assert row.credits == 25

    def test_show_what_was_given_back_under_the_member_whose_job_it_was(self, wallet):
        spent = use(wallet, line(credits=9), member="ann@x.example")
        give_back(spent, credits=4, at=NOW + DAY)

        found = rows(wallet, until=TODAY + DAY)

        assert [
            (row.label, row.member, row.date.day, row.credits) for row in found
        ] == [
            ("Look", "ann@x.example", 10, 9),
            ("Given back", "ann@x.example", 11, -4),
        ]

    def test_take_a_capture_as_it_was_charged(self, wallet):
        absorb(hold(wallet, 10), line(credits=12))

        found = report(wallet)

        assert shares(found.features) == {
            "Look": 12,
            "Above the quote, not charged": -2,
        }
        assert found.total == ledger_total(wallet) == 10

    def test_count_jobs_that_were_not_charged(self, wallet):
        release(hold(wallet, 10, member="ann@x.example"))
        release(hold(wallet, 10))
        hold(wallet, 10)

        found = records(wallet)

        assert found.by_stretch == found.by_member == ()
        assert found.not_charged == {"ann@x.example": 1, "": 1}

    def test_know_nothing_of_another_wallet(self, wallet):
        use(make_wallet(grants={"plan": (10, None)}), line())

        assert rows(wallet) == ()

    def test_miss_no_job_after_an_expiry_that_was_found_late(self):
        wallet = make_wallet(grants={"a": (5, DAY), "b": (90, None)})
        use(wallet, line(credits=1), at=NOW)
        # Dated back by 40 days, with a number between the jobs'.
        use(wallet, line(credits=2), at=NOW + 41 * DAY)
        use(wallet, line(credits=3), at=NOW + 42 * DAY)

        found = rows(wallet, days=3, until=TODAY + 42 * DAY)

        assert [row.credits for row in found] == [2, 3]

    def test_take_one_query(self, wallet, django_assert_num_queries):
        for n in range(9):
            use(wallet, line(), member=f"{n}@x.example", at=NOW - n * DAY)
        records(wallet)

        with django_assert_num_queries(1):
            records(wallet)


class TestReport:
    @pytest.fixture(autouse=True)
    def _jobs(self, wallet):
        ann = use(wallet, line("look", 2), line("image", 6, 3), member="ann@x.example")
        give_back(ann, credits=3)
        use(wallet, line("avatar-iv", 20, 60_000), at=NOW - DAY)

    def test_adds_up_to_what_the_ledger_moved(self, wallet):
        found = report(wallet)

        totals = {
            found.total,
            sum(share.credits for share in found.features),
            sum(share.credits for share in found.members),
            sum(bar.total for bar in found.bars),
            sum(sum(bar.credits) for bar in found.bars),
            sum(row.credits for row in found.rows),
        }
        assert totals == {ledger_total(wallet)} == {25}

    def test_ranks_features_and_members(self, wallet):
        found = report(wallet)

        assert [*shares(found.features).items()] == [
            ("Avatar IV", 20),
            ("Image", 6),
            ("Look", 2),
            ("Given back", -3),
        ]
        assert found.features[0].quantity == "1 min"
        assert [*shares(found.members).items()] == [
            ("No member named", 20),
            ("ann@x.example", 5),
        ]

    def test_has_every_day_and_marks_the_one_that_is_not_over(self, wallet):
        found = report(wallet, days=7)

        assert [bar.total for bar in found.bars] == [0, 0, 0, 0, 0, 20, 5]
        assert [bar.is_incomplete for bar in found.bars] == [False] * 6 + [True]
        assert found.busiest.days[0].date == TODAY - DAY

    @pytest.mark.parametrize(("days", "bars"), [(92, 92), (93, 14)])
    def test_of_more_than_a_quarter_has_weeks_from_monday_on(self, wallet, days, bars):
        found = report(wallet, days=days)

        assert len(found.bars) == bars
        assert found.is_by_week == (bars < days)
        assert sum(bar.total for bar in found.bars) == ledger_total(wallet)
        assert [bar.is_incomplete for bar in found.bars][-2:] == [False, True]
        assert all(
            bar.days[0].date.weekday() == 0 for bar in found.bars[1:] if bars < days
        )

    def test_says_which_days_its_weeks_hold(self, wallet):
        found = report(wallet, days=95)

        labels = [" ".join(bar.label.split()) for bar in found.bars]
        assert labels[:2] == ["6 Dec to 7 Dec 2025", "8 Dec to 14 Dec 2025"]
        assert labels[-1] == "9 Mar to 10 Mar 2026, so far"

    def test_of_weeks_has_the_first_however_short_it_is(self, wallet):
        use(wallet, line("look", 7), at=NOW - 97 * DAY)

        found = report(wallet, days=98)

        assert len(found.bars[0].days) < 7
        assert [bar.total for bar in found.busy_bars] == [7, 25]
        assert found.busy_bars[0] == found.bars[0]

    def test_of_one_feature_leaves_out_what_belongs_to_whole_jobs(self, wallet):
        found = report(wallet, feature="image")

        assert shares(found.features) == {"Image": 6}
        assert found.left_out == ("Given back",)

    def test_of_one_feature_says_what_it_leaves_out(self, wallet):
        absorb(hold(wallet, 10), line(credits=12))

        left_out = {
            member: report(wallet, feature="look", member=member).left_out
            for member in ("", "-", "ann@x.example", "zoe@x.example")
        }

        assert left_out == {
            "": ("Above the quote, not charged", "Given back"),
            "-": ("Above the quote, not charged",),
            "ann@x.example": ("Given back",),
            "zoe@x.example": (),
        }

    def test_of_all_features_leaves_nothing_out(self, wallet):
        assert report(wallet).left_out == ()

    @pytest.mark.parametrize(
        ("member", "total"), [("ann@x.example", 5), ("-", 20), ("zoe@x.example", 0)]
    )
    def test_of_one_member(self, wallet, member, total):
        assert report(wallet, member=member).total == total

    def test_of_one_member_counts_the_jobs_of_that_member(self, wallet):
        release(hold(wallet, 1, member="ann@x.example"))
        release(hold(wallet, 1))

        jobs = [
            report(wallet, member=member).not_charged_jobs
            for member in ("", "-", "ann@x.example", "zoe@x.example")
        ]

        assert jobs == [2, 1, 1, 0]

    def test_draws_many_features_in_few_colors(self, wallet):
        for credits in range(1, 9):
            use(wallet, line(f"feature-{credits}", credits), at=NOW - 9 * DAY)

        found = report(wallet)

        labels = [series.label for series in found.series]
        assert labels[-2:] == ["Other features", "Given back"]
        assert len(labels) == 7
        assert sum(sum(bar.credits) for bar in found.bars) == ledger_total(wallet)


class TestUsedSince:
    def test_sums_each_window_less_what_was_given_back(self, wallet):
        use(wallet, line(credits=50), at=NOW - 20 * DAY)
        spent = use(wallet, line(credits=30), at=NOW - 10 * DAY)
        give_back(spent, credits=5, at=NOW)

        used = usage.used_since(wallet.pk, [NOW - 14 * DAY, NOW - 30 * DAY])

        assert used == [25, 75]

    def test_is_nothing_without_usage(self, wallet):
        assert usage.used_since(wallet.pk, [NOW]) == [0]
