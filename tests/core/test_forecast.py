"""How long credits last: worked examples, and laws for any lots and paces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credits.core.forecast import HORIZON, Forecast, Lapse, Lot, Pace, forecast

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

amounts = st.integers(min_value=1, max_value=10**7)
lifetimes = st.timedeltas(min_value=timedelta(seconds=1), max_value=1_000 * DAY)
paces = st.builds(Pace, st.integers(0, 10**6), st.integers(1, 90))


@st.composite
def many_lots(draw):
    """Lots in the order of use: the soonest expiring first, then one without end."""
    ending = draw(st.lists(st.tuples(amounts, lifetimes), max_size=6))
    lots = [Lot(n, NOW + life) for n, life in sorted(ending, key=lambda lot: lot[1])]
    endless = draw(st.lists(amounts, max_size=1))
    return lots + [Lot(n, None) for n in endless]


def lapsed(outcome: Forecast) -> int:
    return sum(lapse.credits for lapse in outcome.lapses)


class TestForecast:
    def test_divides_what_never_ends_by_the_pace(self):
        outcome = forecast([Lot(2_140, None)], Pace(40, 1), at=NOW)

        assert outcome == Forecast(NOW + 53.5 * DAY, used=2_140, lapses=())

    def test_says_what_lapses_before_it_can_be_used(self):
        lots = [Lot(520, NOW + 10 * DAY), Lot(400, None)]

        outcome = forecast(lots, Pace(40, 1), at=NOW)

        assert outcome.lapses == (Lapse(120, NOW + 10 * DAY),)
        assert outcome.runs_out_at == NOW + 20 * DAY

    def test_ends_with_the_last_lot_when_that_lapses(self):
        lots = [Lot(100, NOW + 5 * DAY), Lot(900, NOW + 30 * DAY)]

        outcome = forecast(lots, Pace(10, 1), at=NOW)

        assert outcome.used == 300
        assert outcome.runs_out_at == NOW + 30 * DAY
        assert [lapse.credits for lapse in outcome.lapses] == [50, 650]

    def test_lets_nothing_lapse_that_is_used_at_the_very_end(self):
        outcome = forecast([Lot(50, NOW + 5 * DAY)], Pace(10, 1), at=NOW)

        assert outcome == Forecast(NOW + 5 * DAY, used=50, lapses=())

    def test_uses_nothing_of_what_has_ended_already(self):
        outcome = forecast([Lot(50, NOW)], Pace(10, 1), at=NOW)

        assert outcome == Forecast(NOW, used=0, lapses=(Lapse(50, NOW),))

    def test_without_a_pace_only_expiry_counts(self):
        lots = [Lot(30, NOW + DAY), Lot(70, None)]

        outcome = forecast(lots, Pace(0, 14), at=NOW)

        assert outcome == Forecast(None, used=0, lapses=(Lapse(30, NOW + DAY),))

    def test_nothing_is_gone_at_once(self):
        assert forecast([], Pace(10, 1), at=NOW) == Forecast(NOW, used=0, lapses=())

    def test_does_not_look_beyond_the_horizon(self):
        outcome = forecast([Lot(10**9, None)], Pace(1, 30), at=NOW)

        assert outcome.runs_out_at is None


class TestPace:
    @pytest.mark.parametrize(
        ("credits", "days", "a_day"),
        [(560, 14, 40), (7, 14, 1), (6, 14, 0), (0, 30, 0), (100, 30, 3)],
    )
    def test_is_shown_by_the_day(self, credits, days, a_day):
        assert Pace(credits, days).a_day == a_day


class TestLaws:
    @given(many_lots(), paces)
    def test_every_credit_is_used_or_lapses_or_stays(self, lots, pace):
        outcome = forecast(lots, pace, at=NOW)

        stays = sum(lot.credits for lot in lots if not lot.expires_at)
        idle = stays if pace.credits == 0 else 0
        total = sum(lot.credits for lot in lots)
        assert outcome.used + lapsed(outcome) + idle == total

    @given(many_lots(), paces, paces)
    def test_a_faster_pace_never_lets_more_lapse_nor_lasts_longer(
        self, lots, one, other
    ):
        slow, fast = sorted(
            (one, other), key=lambda pace: Fraction(pace.credits, pace.days)
        )

        slowly, quickly = forecast(lots, slow, at=NOW), forecast(lots, fast, at=NOW)

        assert lapsed(quickly) <= lapsed(slowly)
        assert (quickly.runs_out_at or NOW + 2 * HORIZON) <= (
            slowly.runs_out_at or NOW + 2 * HORIZON
        )

    @given(many_lots(), paces)
    def test_no_more_is_used_than_the_pace_allows(self, lots, pace):
        outcome = forecast(lots, pace, at=NOW)

        if outcome.runs_out_at:
            assert outcome.used <= pace.used_after(outcome.runs_out_at - NOW)

    @given(many_lots(), paces, st.integers(1, 50))
    def test_the_same_pace_in_other_words_says_the_same(self, lots, pace, factor):
        same = Pace(pace.credits * factor, pace.days * factor)

        assert forecast(lots, pace, at=NOW) == forecast(lots, same, at=NOW)

    @given(many_lots(), paces, amounts)
    def test_more_credits_never_run_out_sooner(self, lots, pace, credits):
        end = NOW + 1_001 * DAY
        before = [lot for lot in lots if lot.expires_at]

        few = forecast(before, pace, at=NOW).runs_out_at
        many = forecast([*before, Lot(credits, end)], pace, at=NOW).runs_out_at

        assert few <= many
