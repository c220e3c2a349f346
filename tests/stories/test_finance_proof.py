"""Fourteen months of business, and every figure of finance a second time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest

from billing import portal_clock
from billing.core.periods import Span, add_months
from billing.finance import stripe_balance
from billing.finance.reports import cash, deferred, journal, liability, revenue
from billing.finance.reports.amounts import Amount
from billing.finance.reports.movements import Movement
from billing.models import BalanceMovement
from billing.reconciling import reading
from billing.stripe_gateway import sandbox
from config import clock
from config.simulation.running import Plan, simulate
from credits import rate_cards
from tests.billing.changes import tell_prices
from tests.conftest import NOW
from tests.stories import recomputing
from tests.stories.disturbing import Fate

pytestmark = pytest.mark.django_db
MONTHS = 14
LATER = timedelta(minutes=1)
FATES = {
    *("refund of purchase", "refund of invoice", "refund in the dashboard"),
    *("dispute", "win", "lose", "give back", "adjust", "reverse", "remove", "extend"),
}


@pytest.fixture
def portal(wire):
    """The portal and its sandbox, which knows every price, at NOW."""
    tell_prices()
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    with sandbox.behind(wire.door):
        portal_clock.move(NOW)
        yield wire


def live(wire, *, accounts: int, seed: int, close: bool = False) -> Fate:
    """Fourteen months of random customers, and of what happens to them."""
    fate = Fate(wire, seed, figures_of)

    def strike(_: str) -> None:
        if close:
            fate.close_months()
        fate.strike()

    plan = Plan(accounts=accounts, months=MONTHS, seed=seed)
    assert simulate(plan, tell=strike) == []
    stripe_balance.keep(reading.read(None).movements, at=clock.now())
    return fate


def periods() -> list[Span]:
    return [
        Span(add_months(NOW, number), add_months(NOW, number + 1))
        for number in range(MONTHS)
    ]


def assert_every_month_adds_up(wire) -> None:
    """Roll-forward, revenue, journal, cash: against entries and the sandbox's books."""
    moved = recomputing.movements()
    for period in periods():
        since, until = period.starts_at, period.ends_at
        [row] = liability.roll_forward(period)
        opening = recomputing.total(recomputing.added_up(moved, None, since))
        closing = recomputing.total(recomputing.added_up(moved, None, until))
        assert (row.opening.credits, row.opening.cents) == opening
        assert (row.closing.credits, row.closing.cents) == closing
        assert {
            str(one.movement): (one.amount.credits, one.amount.cents)
            for one in row.moved
            if one.amount.credits
        } == {
            name: pair
            for name, pair in recomputing.added_up(moved, since, until).items()
            if pair[0]
        }
        assert_equation(row)
        assert_balanced(period)
        assert_cash(wire, period)
        assert_position(until, closing[1])


def assert_equation(row) -> None:
    """The equation of the roll-forward, in credits and in cents."""
    by_name = {one.movement: one.amount for one in row.moved}
    assert by_name[Movement.OTHER] == by_name[Movement.MOVED] == Amount()
    total = row.opening
    for movement in Movement:
        total += by_name[movement]
    assert total == row.closing


def assert_balanced(period: Span) -> None:
    sums = defaultdict(int)
    for line in journal.lines(period):
        assert (line.debit_cents > 0) != (line.credit_cents > 0)
        sums[line.day, line.reference] += line.debit_cents - line.credit_cents
    assert set(sums.values()) <= {0}
    before = {one.account: one.cents for one in journal.balances(at=period.starts_at)}
    after = {one.account: one.cents for one in journal.balances(at=period.ends_at)}
    assert sum(after.values()) == 0
    result = sum(line.amount.cents for line in revenue.revenue(period))
    of_result = {line.name.partition(".")[0] for line in revenue.revenue(period)}
    assert result == sum(before[name] - after[name] for name in of_result)


def assert_cash(wire, period: Span) -> None:
    theirs = recomputing.cash_at_stripe(wire, period.starts_at, period.ends_at)
    ours = {
        one.category: (one.amount_cents, one.fee_cents) for one in cash.cash(period)
    }
    assert ours == theirs
    net = sum(one.net_cents for one in cash.cash(period))
    before, after = (
        {one.account: one.cents for one in journal.balances(at=at)}
        for at in (period.starts_at, period.ends_at)
    )
    assert after["stripe_clearing"] - before["stripe_clearing"] == net


def assert_position(at, closing_cents: int) -> None:
    """The journal's deferred revenue is the roll-forward's, and ages add up to it."""
    balances = {one.account: one.cents for one in journal.balances(at=at)}
    assert balances["deferred_revenue"] == -closing_cents
    ages = liability.ageing(at=at)
    assert sum(one.amount.cents for one in ages) == closing_cents
    due = deferred.waterfall(at=at)
    assert sum(one.granted.cents for one in due) == closing_cents


def assert_position_now() -> None:
    """What is left of each grant, and paid months to come, as the rows say today."""
    at = clock.now()
    balances = {one.account: one.cents for one in journal.balances(at=at)}
    left = recomputing.number_of(
        "SELECT sum(cost_basis_cents - cost_basis_cents * (granted - remaining)"
        " / granted) FROM credits_creditgrant"
    )
    assert balances["deferred_revenue"] == -left
    to_come = sum(one.unbegun.cents for one in deferred.waterfall(at=at))
    assert balances["prepaid"] == -to_come
    at_banks = recomputing.number_of(
        "SELECT sum(amount_cents) FROM billing_dispute WHERE effect = 'FROZEN'"
    )
    assert balances["receivable"] == at_banks
    assert balances["other"] == 0


def figures_of(period: Span) -> tuple:
    """All that finance reads of a month."""
    return (
        liability.roll_forward(period),
        list(journal.lines(period)),
        cash.cash(period),
        revenue.revenue(period),
        journal.balances(at=period.ends_at),
    )


class TestFinance:
    @pytest.mark.parametrize(
        ("accounts", "seed"), [(6, 2), pytest.param(60, 5, marks=pytest.mark.full)]
    )
    def test_is_right_to_the_cent_in_every_month(self, portal, accounts, seed):
        fate = live(portal, accounts=accounts, seed=seed)

        assert_every_month_adds_up(portal)
        assert_position_now()
        assert set(fate.done) >= FATES

    def test_of_a_closed_month_never_changes(self, portal):
        fate = live(portal, accounts=4, seed=3, close=True)
        moved = recomputing.movements()
        assert len(fate.closed) == MONTHS
        assert_position_now()

        heard_late(fate.closed[0][0].starts_at)

        for period, figures in fate.closed:
            assert figures_of(period) == figures
            [row] = liability.roll_forward(period)
            closing = recomputing.added_up(moved, None, period.ends_at)
            assert recomputing.total(closing) == (
                row.closing.credits,
                row.closing.cents,
            )
        still_open = Span(fate.closed[-1][0].ends_at, clock.now() + LATER)
        charges = [one for one in cash.cash(still_open) if one.category == "late"]
        assert [one.net_cents for one in charges] == [455]


def heard_late(booked_at) -> None:
    """Keep a movement of Stripe's balance that belongs into a closed month."""
    BalanceMovement.objects.create(
        stripe_balance_transaction_id="txn_late",
        category="late",
        currency="usd",
        amount_cents=500,
        fee_cents=45,
        booked_at=booked_at,
        recorded_at=clock.now(),
    )
