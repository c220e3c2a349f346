"""The table of moves between plans, row by row."""

from __future__ import annotations

import itertools

import pytest

from billing.core.transitions import TRANSITIONS, Family, Offer, Than, transition

FREE = Offer(Family.FREE, 0, 0)
CREATOR = Offer(Family.CREATOR, 600, 2_900)
PRO_1 = Offer(Family.PRO, 1_000, 4_900)
PRO_2 = Offer(Family.PRO, 2_000, 9_600)
PRO_5 = Offer(Family.PRO, 5_000, 23_500)
BUSINESS = Offer(Family.BUSINESS, 1_500, 14_900)
LEGACY = Offer(Family.LEGACY, 0, 4_800)
CREATOR_YEAR = Offer(Family.CREATOR, 600, 28_800, is_yearly=True)
PRO_1_YEAR = Offer(Family.PRO, 1_000, 49_200, is_yearly=True)
BUSINESS_YEAR = Offer(Family.BUSINESS, 1_500, 147_600, is_yearly=True)

MOVES = [
    (FREE, CREATOR, "SUBSCRIBE", "NOW", "R60"),
    (FREE, PRO_5, "SUBSCRIBE", "NOW", "R60"),
    (FREE, BUSINESS_YEAR, "SUBSCRIBE", "NOW", "R60"),
    (CREATOR, PRO_1, "UPGRADE", "NOW", "R21"),
    (CREATOR, BUSINESS, "UPGRADE", "NOW", "R21"),
    (PRO_1, PRO_2, "UPGRADE", "NOW", "R21"),
    (PRO_2, PRO_1, "DOWNGRADE", "CYCLE_END", "R26"),
    (PRO_1, CREATOR, "DOWNGRADE", "CYCLE_END", "R26"),
    (PRO_2, BUSINESS, "UPGRADE", "NOW", "R28"),
    (PRO_5, BUSINESS, "DOWNGRADE", "CYCLE_END", "R28"),
    (BUSINESS, PRO_5, "DOWNGRADE", "CYCLE_END", "R29"),
    (BUSINESS, CREATOR, "DOWNGRADE", "CYCLE_END", "R29"),
    (LEGACY, PRO_1, "CANCEL", "CYCLE_END", "R34"),
    (LEGACY, FREE, "CANCEL", "CYCLE_END", "R34"),
    (CREATOR, FREE, "CANCEL", "CYCLE_END", "R58"),
    (CREATOR_YEAR, FREE, "CANCEL", "CYCLE_END", "R58"),
    (CREATOR, CREATOR_YEAR, "UPGRADE", "NOW", "R30"),
    (CREATOR_YEAR, CREATOR, "DOWNGRADE", "CYCLE_END", "R31"),
    # Both at once: whichever has to wait decides.
    (CREATOR, PRO_1_YEAR, "UPGRADE", "NOW", "R21"),
    (CREATOR_YEAR, PRO_1, "DOWNGRADE", "CYCLE_END", "R31"),
    (PRO_2, CREATOR_YEAR, "DOWNGRADE", "CYCLE_END", "R26"),
]


class TestTransition:
    """R21, R26 to R35, R58, R60."""

    @pytest.mark.parametrize(("old", "new", "move", "when", "rule"), MOVES)
    def test_says_how_when_and_by_which_rule(self, old, new, move, when, rule):
        found = transition(old, new)

        assert (found.move, found.when, found.rule) == (move, when, rule)

    @pytest.mark.parametrize("old", [FREE, CREATOR, PRO_1, BUSINESS, LEGACY])
    def test_leads_nobody_to_a_legacy_plan(self, old):
        assert transition(old, LEGACY) is None

    @pytest.mark.parametrize("offer", [FREE, CREATOR, PRO_1, BUSINESS_YEAR])
    def test_leads_nowhere_from_a_plan_to_itself(self, offer):
        assert transition(offer, offer) is None

    def test_has_one_row_for_each_pair_and_comparison(self):
        pairs = [(row.source, row.target, row.than) for row in TRANSITIONS]

        assert len(pairs) == len(set(pairs))

    def test_has_a_row_for_every_sold_pair(self):
        sold = [FREE, CREATOR, PRO_1, PRO_2, PRO_5, BUSINESS]

        missing = [
            (old, new)
            for old, new in itertools.permutations(sold, 2)
            if transition(old, new) is None
        ]

        assert missing == []

    def test_compares_where_a_pair_has_two_rows(self):
        compared = {row.than for row in TRANSITIONS if row.than is not Than.ANY}

        assert compared == set(Than) - {Than.ANY}
