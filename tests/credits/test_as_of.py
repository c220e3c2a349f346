"""A wallet as of any past instant, and as known at another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credits import as_of, ledger, statements
from credits.as_of import Figure, Figures
from credits.models import EntryKind
from tests.conftest import NOW
from tests.credits.usage_jobs import give_back, hold, key, line, release, use
from tests.factories import make_wallet

pytestmark = pytest.mark.django_db

TICK, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
LATER = NOW + 30 * DAY


@pytest.fixture
def wallet():
    """Of 30 for a day and 50 for good, a job uses 35 an hour later."""
    wallet = make_wallet(grants={"a": (30, DAY), "b": (50, None)})
    use(wallet, line(credits=25), at=NOW + HOUR)
    return wallet


def then(wallet, instant, *, known_at=None, at=LATER):
    asked = as_of.as_of(wallet.pk, instant=instant, known_at=known_at, at=at)
    return as_of.wallet_then(asked)


def posted(wallet, instant, **of) -> int:
    return then(wallet, instant, **of).figures.posted


class TestAsOf:
    def test_includes_its_instant(self, wallet):
        assert posted(wallet, NOW + HOUR - TICK) == 80
        assert posted(wallet, NOW + HOUR) == 55

    def test_before_the_first_entry_is_nothing(self, wallet):
        before = then(wallet, NOW - TICK)

        assert before == as_of.WalletThen(Figures(0, 0, 0, 0), entries=0, grants=())

    def test_knows_what_had_ended_though_nobody_had_looked(self, wallet):
        """R17: the entry is written down now, and dated when it happened."""
        assert posted(wallet, NOW + DAY - TICK, at=NOW + 9 * DAY) == 55
        assert posted(wallet, NOW + DAY, at=NOW + 9 * DAY) == 50

    def test_counts_what_happened_before_however_late_it_was_posted(self, wallet):
        """Numbers are in the order of posting, not of time."""
        use(wallet, line(credits=3), at=NOW + 2 * HOUR)
        use(wallet, line(credits=4), at=NOW + HOUR)

        assert posted(wallet, NOW + HOUR) == 51

    def test_has_every_figure(self, wallet):
        at = NOW + 2 * HOUR
        release(hold(wallet, 9, at=at), at=at + HOUR)
        owed = {"actor": "test", "reason": "x", "at": at}
        ledger.record_debt(
            wallet_id=wallet.pk, credits=7, idempotency_key=key(), **owed
        )

        held, released = then(wallet, at), then(wallet, at + HOUR)

        assert held.figures == Figures(posted=55, held=9, frozen=0, debt=7)
        assert (held.figures.available, released.figures.available) == (46, 55)

    def test_has_what_was_left_of_each_grant(self, wallet):
        grants = then(wallet, NOW + HOUR).grants

        assert [(g.granted, g.remaining, g.held) for g in grants] == [
            (30, 5, 0),
            (50, 50, 0),
        ]

    def test_leaves_out_what_is_used_up(self, wallet):
        assert [g.granted for g in then(wallet, NOW + DAY).grants] == [50]

    def test_is_the_balance_of_now(self, wallet):
        """R110: the page of the customer and this one say the same."""
        balance = statements.balance_of(wallet.pk, at=LATER)

        now = then(wallet, LATER)

        for figure in ("posted", "held", "frozen", "available", "debt"):
            assert getattr(now.figures, figure) == getattr(balance, figure)

    def test_does_not_see_what_is_posted_after_it_asked(self, wallet):
        asked = as_of.as_of(wallet.pk, instant=LATER, at=LATER)
        use(wallet, line(credits=3), at=LATER)

        assert as_of.wallet_then(asked).figures.posted == 50
        assert as_of.explain(asked, Figure.POSTED).total == 50

    def test_sees_one_wallet(self, wallet):
        make_wallet(grants={"other": (1_000, None)})

        assert posted(wallet, LATER) == 50


class TestAsKnownAt:
    def test_leaves_out_what_was_written_down_later(self, wallet):
        noticed = NOW + 9 * DAY

        as_known = {"at": noticed, "known_at": noticed - TICK}

        assert posted(wallet, NOW + DAY, **as_known) == 55
        assert posted(wallet, NOW + DAY, at=noticed, known_at=noticed) == 50


class TestExplanation:
    def explain(self, wallet, what, **page):
        asked = as_of.as_of(wallet.pk, instant=NOW + 2 * DAY, at=LATER)
        return as_of.explain(asked, what, **page)

    def test_is_the_sum_of_its_kinds_and_of_its_entries(self, wallet):
        use(wallet, line(credits=5), at=NOW + 2 * HOUR)
        explained = self.explain(wallet, Figure.AVAILABLE)

        assert explained.total == 50
        assert [(s.kind, s.entries, s.change) for s in explained.kinds] == [
            ("GRANT", 2, 80),
            ("SPEND", 2, -30),
        ]
        assert [entry.change for entry in explained.entries] == [-5, -25, 50, 30]

    def test_leaves_out_what_does_not_change_the_figure(self, wallet):
        hold(wallet, 9, at=NOW + 2 * HOUR)

        held = self.explain(wallet, Figure.HELD)
        posted = self.explain(wallet, Figure.POSTED)

        # A day later it lapses.
        assert [(e.kind, e.change) for e in held.entries] == [
            ("RELEASE", -9),
            ("HOLD", 9),
        ]
        assert "HOLD" not in {share.kind for share in posted.kinds}

    def test_shows_one_kind_page_by_page(self, wallet):
        spent = [use(wallet, line(), at=NOW + 2 * HOUR).seq for _ in range(3)]
        jobs = {"kind": EntryKind.SPEND, "limit": 3}

        first = self.explain(wallet, Figure.POSTED, **jobs)
        second = self.explain(
            wallet, Figure.POSTED, before_seq=first.next_before_seq, **jobs
        )

        assert [entry.seq for entry in first.entries] == spent[::-1]
        assert [entry.change for entry in second.entries] == [-25]
        assert second.next_before_seq is None
        assert first.total == second.total

    def test_of_a_grant_has_each_of_its_draws(self, wallet):
        spent = use(wallet, line(credits=20), at=NOW + 2 * HOUR)
        give_back(spent, credits=17, at=NOW + 3 * HOUR)
        asked = as_of.as_of(wallet.pk, instant=NOW + 3 * HOUR, at=LATER)
        a, b = as_of.wallet_then(asked).grants

        of_a, of_b = (as_of.explain(asked, grant.id) for grant in (a, b))

        assert (of_a.total, of_b.total) == (a.remaining, b.remaining) == (2, 50)
        assert [entry.change for entry in of_a.entries] == [2, -5, -25, 30]
        assert [entry.change for entry in of_b.entries] == [15, -15, 50]

    def test_of_a_grant_of_another_wallet_is_nothing(self, wallet):
        other = make_wallet(grants={"other": (1_000, None)})
        [grant] = then(other, LATER).grants

        assert self.explain(wallet, grant.id).entries == ()


def test_takes_as_many_queries_however_many_entries(wallet, django_assert_num_queries):
    for _ in range(20):
        use(wallet, line(), at=NOW + 2 * HOUR)
    asked = as_of.as_of(wallet.pk, instant=LATER, at=LATER)

    with django_assert_num_queries(3):
        as_of.wallet_then(asked)
    with django_assert_num_queries(2):
        as_of.explain(asked, Figure.POSTED)
