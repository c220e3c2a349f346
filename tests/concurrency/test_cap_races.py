"""Many jobs of one member at their cap: it is never passed (R87)."""

from __future__ import annotations

import pytest

from accounts.models import Role
from credits import audits, ledger
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import job, make_member, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

CALLERS = 16
JOBS = CALLERS * 10
CAP = 100


def capped_member():
    """A wallet with credits in plenty, and a member who may use few of them."""
    wallet = make_wallet(grants={"a": (100_000, None)})
    member = make_member(wallet.account, Role.MEMBER)
    ledger.set_cap(
        wallet_id=wallet.pk,
        member_id=member.pk,
        credits=CAP,
        set_by_id=member.pk,
        at=NOW,
    )
    return wallet, member


def storm(wallet, member, credits=1):
    """Holds and spends of a member, all at once."""
    return race(
        lambda n: (
            hold(wallet, member, credits, n)
            if n % 2
            else ledger.spend(job(wallet, credits, f"spend:{n}", member), at=NOW)
        ),
        rounds=JOBS,
        threads=CALLERS,
    )


def hold(wallet, member, credits, n):
    return ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=f"hold:{n}",
        actor="test",
        member_id=member.pk,
        at=NOW,
    )


def used(wallet, member):
    [usage] = ledger.usage_of_caps(wallet_id=wallet.pk, member_ids=[member.pk], at=NOW)
    return usage.used


class TestOneMember:
    def test_uses_exactly_what_the_cap_allows(self):
        wallet, member = capped_member()

        outcomes = storm(wallet, member)

        found = tally(outcomes)
        assert found["Held"] + found["Spent"] == CAP
        assert found["MemberCapReached"] == JOBS - CAP
        assert used(wallet, member) == CAP
        assert audits.verify() == []

    def test_gets_one_of_two_holds_that_fit_alone(self):
        wallet, member = capped_member()

        outcomes = race(
            lambda n: hold(wallet, member, CAP // 2 + 1, n), rounds=2, threads=2
        )

        assert tally(outcomes) == {"Held": 1, "MemberCapReached": 1}


@pytest.mark.twin
class TestNegativeControl:
    def test_without_the_wallets_lock_the_cap_is_passed(
        self, without_lock, without_unique_keys
    ):
        # By chance a storm may see no two jobs at the cap at once.
        refused = (tally(storm(*capped_member()))["MemberCapReached"] for _ in range(3))

        assert any(number < JOBS - CAP for number in refused)
