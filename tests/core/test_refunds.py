"""Money for unspent credits, and credits for returned money."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from billing.core.claims import Lot
from billing.core.refunds import Paid, effect_of, settled, unspent_cents


def paid(cents=500, granted=100, free=100, held=0, used=0, **others) -> Paid:
    lot = Lot(granted=granted, free=free, held=held, used=used, removed=0)
    return Paid(cents=cents, lot=lot, **others)


class TestUnspentCents:
    @pytest.mark.parametrize(
        ("cents", "granted", "free", "money"),
        [
            (500, 100, 100, 500),
            (500, 100, 30, 150),
            (1, 2, 1, 0),  # half a cent: to the even one, which is 0
            (3, 2, 1, 2),  # one and a half: to 2
            (499, 100, 33, 165),
            (500, 100, 0, 0),
            (500, 0, 0, 500),  # it brought no credits (R42)
        ],
    )
    def test_are_a_share_of_the_price(self, cents, granted, free, money):
        assert unspent_cents(paid(cents=cents, granted=granted, free=free)) == money

    def test_are_not_more_than_is_left_of_the_payment(self):
        assert unspent_cents(paid(free=90, refunded_cents=100)) == 400

    def test_count_months_that_have_not_begun(self):
        assert unspent_cents(paid(cents=1_200, free=50, to_come=25)) == 900


class TestEffectOf:
    def test_takes_the_share_of_the_money_rounded_down(self):
        effect = effect_of(paid(cents=499), cents=100, takes_all_left=False)

        assert (effect.removed, effect.owed) == (20, 0)

    def test_takes_all_that_is_left_however_the_money_was_rounded(self):
        whole = paid(granted=300, free=101, used=199)

        effect = effect_of(whole, cents=unspent_cents(whole), takes_all_left=True)

        assert (unspent_cents(whole), effect.removed, effect.owed) == (168, 101, 0)

    def test_what_was_used_is_owed_with_what_it_was_paid_with(self):
        effect = effect_of(paid(free=40, used=60), cents=500, takes_all_left=True)

        assert (effect.removed, effect.owed, effect.owed_cents) == (40, 60, 300)

    def test_what_jobs_hold_waits_for_them(self):
        effect = effect_of(paid(free=70, held=30), cents=500, takes_all_left=True)

        assert (effect.removed, effect.waiting, effect.owed) == (70, 30, 0)

    def test_what_has_expired_is_neither_taken_nor_owed(self):
        effect = effect_of(
            paid(free=0, used=30, expired=70), cents=500, takes_all_left=True
        )

        assert (effect.removed, effect.expired, effect.owed) == (0, 70, 30)

    def test_a_part_is_for_what_has_expired_before_anybody_owes(self):
        effect = effect_of(
            paid(free=0, used=60, expired=40), cents=150, takes_all_left=False
        )

        assert (effect.expired, effect.owed) == (30, 0)

    def test_months_that_have_not_begun_go_first(self):
        effect = effect_of(
            paid(cents=1_200, granted=1_200, free=100, used=0, to_come=1_100),
            cents=1_150,
            takes_all_left=False,
        )

        assert (effect.to_come, effect.removed) == (1_100, 50)

    def test_a_payment_that_brought_nothing_takes_nothing(self):
        effect = effect_of(paid(granted=0, free=0), cents=500, takes_all_left=True)

        assert (effect.removed, effect.owed, effect.owed_cents) == (0, 0, 0)


class TestSeveral:
    @pytest.mark.parametrize("parts", list(permutations((1, 33, 99, 120, 247))))
    def test_take_together_what_the_whole_would_in_any_order(self, parts):
        refunded, taken = 0, 0
        for cents in parts:
            rest = paid(
                free=100 - taken, refunded_cents=refunded, refunded_credits=taken
            )
            taken += effect_of(rest, cents=cents, takes_all_left=False).removed
            refunded += cents

        assert (refunded, taken) == (500, 100)

    def test_never_take_more_than_their_share(self):
        chance = random.Random(6)  # noqa: S311 - an example, repeatable
        for _ in range(500):
            cents, granted = chance.randint(1, 900), chance.randint(1, 400)
            part = chance.randint(1, cents)
            whole = paid(cents=cents, granted=granted, free=granted)

            taken = effect_of(whole, cents=part, takes_all_left=False).removed

            assert taken * cents <= part * granted < (taken + 1) * cents


class TestSettled:
    def test_takes_what_a_job_gave_back_and_lets_owe_what_it_used(self):
        before = effect_of(paid(free=70, held=30), cents=500, takes_all_left=True)
        lot = Lot(granted=100, free=10, held=0, used=20, removed=0, taken=70)

        after = settled(Paid(cents=500, lot=lot), before)

        assert (after.removed, after.owed, after.waiting) == (80, 20, 0)
        assert after.owed_cents == 100

    def test_what_then_expired_is_gone(self):
        before = effect_of(paid(free=70, held=30), cents=500, takes_all_left=True)
        lot = Lot(granted=100, free=0, held=0, used=0, removed=0, taken=70)

        after = settled(Paid(cents=500, lot=lot), before)

        assert (after.removed, after.owed, after.expired) == (70, 0, 30)
