"""What happens to credits that nobody uses: on a monthly plan, and on an annual one."""

from __future__ import annotations

import pytest

from accounts import team
from billing.models import Interval, Invoice
from credits import audits, ledger, statements
from credits.models import Wallet
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import job, make_user

pytestmark = pytest.mark.django_db
APRIL, MAY, JUNE, JULY = (NOW.replace(month=month) for month in (4, 5, 6, 7))
MOMENT = DAY / 86_400_000_000


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def studio(offered):
    nora = make_user("nora@example.com", name="Nora Lind")
    return team.open_account(name="Northwind Studio", owner=nora, at=NOW)


def available(account, *, at) -> int:
    wallet = Wallet.objects.get(account=account)
    return statements.balance_of(wallet.pk, at=at).available


def parts(account, *, at) -> list[tuple[str, int, str]]:
    """Return what the balance is made of, as the overview says it."""
    wallet = Wallet.objects.get(account=account)
    return [
        (grant.label, grant.usable, f"{grant.expires_at:%d %b}")
        for grant in statements.balance_of(wallet.pk, at=at).grants
    ]


class TestCreator:
    def test_unused_credits_live_through_the_next_cycle_and_never_roll_twice(
        self, plans, studio
    ):
        plans.subscribe(studio, "creator")
        assert parts(studio, at=NOW) == [("Monthly credits", 600, "10 May")]

        # Nobody works in the first cycle: its 600 are there in the next one,
        plans.travel(APRIL + 2 * HOUR)
        assert parts(studio, at=plans.at) == [
            ("Rolled-over credits", 600, "10 May"),
            ("Monthly credits", 600, "10 Jun"),
        ]

        # and are used first,
        plans.travel(APRIL + 10 * DAY)
        ledger.spend(job(Wallet.objects.get(account=studio), 250), at=plans.at)
        assert parts(studio, at=plans.at) == [
            ("Rolled-over credits", 350, "10 May"),
            ("Monthly credits", 600, "10 Jun"),
        ]

        # and what is left of them is gone when that cycle ends, to the instant.
        assert available(studio, at=MAY - MOMENT) == 950
        assert available(studio, at=MAY) == 600
        plans.travel(MAY + 2 * HOUR)
        assert parts(studio, at=plans.at) == [
            ("Rolled-over credits", 600, "10 Jun"),
            ("Monthly credits", 600, "10 Jul"),
        ]

        # However long nobody works, two cycles are all there ever is.
        for month in (JUNE, JULY):
            plans.travel(month + 2 * HOUR)
            assert available(studio, at=plans.at) == 1_200
        assert audits.verify() == []


class TestAnnualCreator:
    def test_unused_credits_pile_up_for_a_year_and_end_at_its_renewal(
        self, plans, studio
    ):
        plans.subscribe(studio, "creator", Interval.YEAR)
        next_year = NOW.replace(year=2027)

        piles = []
        for month in range(4, 13):
            plans.travel(NOW.replace(month=month))
            piles.append(available(studio, at=plans.at))
        assert piles == [600 * month for month in range(2, 11)]
        plans.travel(next_year - HOUR)
        assert available(studio, at=plans.at) == 12 * 600

        # All twelve months end together, whatever their age, and the next year begins.
        plans.travel(next_year)
        assert available(studio, at=next_year) == 0
        plans.travel(next_year + 2 * HOUR)
        assert parts(studio, at=plans.at) == [("Monthly credits", 600, "10 Mar")]
        assert [bill.net_cents for bill in Invoice.objects.all()] == [28_800, 28_800]
        assert audits.verify() == []
