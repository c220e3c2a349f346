"""All verbs at once on a few wallets: the books stay right, and tell a true story.

Each wallet's entries, in the order in which they were committed, are replayed one by
one through the reference model: it must end with the same figures.
"""

from __future__ import annotations

from collections import Counter

import pytest

from credits import audits
from credits.models import EntryKind, LedgerEntry
from tests.concurrency.mixing import STEP, play
from tests.concurrency.racing import tally
from tests.concurrency.retelling import differences
from tests.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

# Billing's own checks would ask who paid for these grants.
LEDGER_CHECKS = ("I1 ", "I2 ", "I3 ", "I4 ")
POSTED = {
    *("Granted", "Spent", "list", "Held", "Extended", "Captured", "Released"),
    *("Corrected", "Moved"),
}
REFUSED = {
    *("InsufficientCredits", "ExceedsHold", "HoldClosed", "NotEnoughLeft"),
    *("NotPossible", "SpendingBlocked", "MemberCapReached"),
}


def trouble(pots, outcomes) -> dict[str, object]:
    """Return everything that went wrong in a game."""
    expected = POSTED | REFUSED | {"NoneType"}
    odd = [repr(o) for o in outcomes if type(o).__name__ not in expected]
    end = NOW + (len(outcomes) + 1) * STEP
    untrue = [text for pot in pots for text in differences(pot, at=end)]
    findings = [f for f in audits.verify() if f.check.startswith(LEDGER_CHECKS)]
    return {
        name: found
        for name, found in (("odd", odd), ("findings", findings), ("untrue", untrue))
        if found
    }


class TestMixedRace:
    @pytest.mark.parametrize(
        "plays", [2_000, pytest.param(50_000, marks=pytest.mark.full)]
    )
    def test_ends_as_if_all_had_queued(self, plays):
        pots, outcomes = play(plays)

        assert trouble(pots, outcomes) == {}
        kinds = Counter(LedgerEntry.objects.values_list("kind", flat=True))
        assert kinds.keys() == set(EntryKind)
        assert min(kinds.values()) >= plays // 500
        assert tally(outcomes).keys() >= REFUSED


@pytest.mark.twin
class TestNegativeControl:
    def test_without_the_wallets_lock_it_does_not(self, without_lock):
        pots, outcomes = play(1_000, wallets=4)

        assert trouble(pots, outcomes) != {}
