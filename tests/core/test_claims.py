"""What an amount claims of a grant, and what is left of the claim to be done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.core.claims import ClawBack, Lot, claim_of, claw_back, owed_cents

UNTOUCHED = Lot(granted=300, free=300, held=0, used=0, removed=0)


class TestClaimOf:
    @pytest.mark.parametrize(
        ("amount", "claim"), [(1_500, 300), (499, 99), (4, 0), (5, 1), (9_999, 300)]
    )
    def test_is_the_share_of_the_amount_rounded_down(self, amount, claim):
        assert claim_of(UNTOUCHED, amount_cents=amount, paid_cents=1_500) == claim

    def test_takes_nothing_that_was_taken_back_before(self):
        lot = replace(UNTOUCHED, free=50, removed=250)

        assert claim_of(lot, amount_cents=1_500, paid_cents=1_500) == 50

    def test_of_what_was_free_of_charge_is_nothing(self):
        assert claim_of(UNTOUCHED, amount_cents=1, paid_cents=0) == 0


class TestClawBack:
    @pytest.mark.parametrize(
        ("lot", "due"),
        [
            (UNTOUCHED, ClawBack(300, 0, 0)),
            (replace(UNTOUCHED, free=200, used=100), ClawBack(200, 100, 0)),
            (replace(UNTOUCHED, free=0, used=300), ClawBack(0, 300, 0)),
            # 100 have expired: they are gone for the customer already (R86).
            (replace(UNTOUCHED, free=100, used=100), ClawBack(100, 100, 0)),
            (replace(UNTOUCHED, free=200, held=100), ClawBack(200, 0, 100)),
            # Looked at again once the job has used 60 of its 100.
            (
                replace(UNTOUCHED, free=40, used=60, taken=200),
                ClawBack(40, 60, 0),
            ),
            (
                replace(UNTOUCHED, free=0, used=100, taken=200, owed=100),
                ClawBack(0, 0, 0),
            ),
        ],
    )
    def test_takes_what_is_free_and_lets_owe_what_was_used(self, lot, due):
        assert claw_back(lot, claim=300) == due

    def test_of_a_part_takes_no_more_than_it_claims(self):
        assert claw_back(UNTOUCHED, claim=99) == ClawBack(99, 0, 0)

    @given(st.data())
    def test_comes_to_the_same_in_one_step_and_in_two(self, data):
        """A job that holds credits at the first look has settled at the second."""
        free, held, used = (data.draw(st.integers(0, 500)) for _ in range(3))
        granted = free + held + used
        claim = data.draw(st.integers(0, granted))
        charged = data.draw(st.integers(0, held))
        lot = Lot(granted=granted, free=free, held=held, used=used, removed=0)

        first = claw_back(lot, claim=claim)
        settled = replace(
            lot,
            free=free - first.take + held - charged,
            held=0,
            used=used + charged,
            taken=first.take,
            owed=first.owe,
        )
        second = claw_back(settled, claim=claim)

        assert first.take + first.owe + second.take + second.owe == claim
        assert second.waits == 0


class TestOwedCents:
    @pytest.mark.parametrize(
        ("credits", "cents"), [(100, 500), (1, 5), (0, 0), (300, 1_500)]
    )
    def test_is_what_the_credits_were_paid_with(self, credits, cents):
        assert owed_cents(credits, granted=300, paid_cents=1_500) == cents

    @pytest.mark.parametrize(("credits", "cents"), [(1, 0), (3, 2), (5, 2), (7, 4)])
    def test_rounds_halves_to_the_even_cent(self, credits, cents):
        assert owed_cents(credits, granted=2, paid_cents=1) == cents
