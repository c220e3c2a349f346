"""What finance reads, of a few movements that are known to the cent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from billing.core.periods import Span
from billing.core.revenue import left_cents
from billing.finance import months, stripe_balance
from billing.finance import page as month_page
from billing.finance.reports import (
    cash,
    dating,
    deferred,
    drilling,
    journal,
    liability,
    revenue,
)
from billing.finance.reports.accounts import AGAINST_CREDITS, BookAccount
from billing.finance.reports.amounts import Amount
from billing.finance.reports.deferred import Deferred
from billing.finance.reports.liability import Split, Standing
from billing.finance.reports.movements import Movement
from billing.models import BalanceMovement, Cycle
from billing.reconciling import reading
from credits import ledger
from credits.models import CreditGrant, GrantSource, Wallet, WalletUnit
from tests.billing.refunds import bought, use
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PERIOD = Span(NOW - DAY, NOW + DAY)


@pytest.fixture
def lived(wire, business, alice):
    """Business since NOW: 1,500 credits for $149, 200 more for $10, 1,600 used."""
    purchase = bought(wire, business, alice, blocks=2)
    use(business, 1_600)
    stripe_balance.keep(reading.read(None).movements, at=NOW)
    return purchase


def added_up(drill: str, period: Span) -> Amount:
    """The rows behind a number, added up page by page."""
    amount, after = Amount(), 0
    while found := drilling.behind(drill, period, after=after, limit=1):
        [row] = found
        amount, after = amount + Amount(row.credits, row.cents), row.id
    assert drilling.total(drill, period).amount == amount
    return amount


def charged() -> None:
    """Let another connection keep a movement of Stripe's balance."""
    BalanceMovement.objects.using("owner").create(
        stripe_balance_transaction_id="txn_meanwhile",
        category="charge",
        currency="usd",
        amount_cents=500,
        fee_cents=0,
        booked_at=NOW,
        recorded_at=NOW,
    )


def balances(at) -> dict[str, int]:
    return {one.account: one.cents for one in journal.balances(at=at) if one.cents}


class TestRollForward:
    def test_adds_up_to_the_last_cent(self, lived):
        [row] = liability.roll_forward(PERIOD)

        moved = {one.movement: one.amount for one in row.moved if one.amount.credits}
        assert moved == {
            Movement.GRANTED: Amount(1_500, 14_900),
            Movement.SOLD: Amount(200, 1_000),
            Movement.USED: Amount(-1_600, -15_400),
        }
        assert (row.opening, row.closing) == (Amount(), Amount(100, 500))

    def test_is_split_by_plan_and_by_source(self, lived):
        by_plan = liability.roll_forward(PERIOD, by=Split.PLAN)
        by_source = liability.roll_forward(PERIOD, by=Split.SOURCE)

        assert [(row.group, row.closing) for row in by_plan] == [
            ("business", Amount(100, 500))
        ]
        assert [(row.group, row.closing) for row in by_source] == [
            ("PLAN", Amount()),
            ("PURCHASE", Amount(100, 500)),
        ]

    def test_begins_with_what_was_before(self, lived):
        [row] = liability.roll_forward(Span(NOW + DAY, NOW + 2 * DAY))

        assert row.opening == row.closing == Amount(100, 500)

    def test_ends_with_what_was_left_then(self, lived, business):
        then = [liability.roll_forward(PERIOD, by=by) for by in Split]

        use(business, 40, at=PERIOD.ends_at + DAY)
        ledger.expire_wallet(
            wallet_id=Wallet.objects.get(account=business).pk, at=NOW + 366 * DAY
        )

        assert CreditGrant.objects.filter(is_open=True).count() == 0
        assert [liability.roll_forward(PERIOD, by=by) for by in Split] == then

    def test_keeps_premium_credits_apart(self, lived, business):
        ledger.grant(
            wallet_id=ledger.open_wallet(
                account_id=business.pk, unit=WalletUnit.PREMIUM, at=NOW
            ),
            source=GrantSource.PACK,
            source_key="legacy:pack",
            credits=10,
            cost_basis_cents=100,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=NOW,
        )

        rows = liability.roll_forward(PERIOD)

        assert [(row.unit, row.closing) for row in rows] == [
            ("CREDITS", Amount(100, 500)),
            ("PREMIUM", Amount(10, 100)),
        ]

    def test_names_what_no_rule_knows(self, lived):
        ledger.revoke(
            grant_id=CreditGrant.objects.get(source_key=lived.source_key).pk,
            credits=10,
            idempotency_key="nobody:knows",
            actor="test",
            reason="",
            at=NOW + DAY / 2,
        )

        [row] = liability.roll_forward(PERIOD)

        assert {one.movement: one.amount for one in row.moved}[
            Movement.OTHER
        ] == Amount(-10, -50)


class TestPosition:
    def test_ages_by_what_is_known_of_its_end(self, lived):
        [age] = liability.ageing(at=PERIOD.ends_at)

        assert (age.bucket, age.amount) == ("91-365", Amount(100, 500))

    def test_shows_what_is_held(self, lived, business):
        ledger.hold(
            wallet_id=Wallet.objects.get(account=business).pk,
            credits=30,
            rate_version=1,
            idempotency_key="hold",
            actor="test",
            at=NOW + DAY / 2,
        )

        assert liability.standing(at=PERIOD.ends_at) == [Standing("CREDITS", 30, 0)]
        assert liability.standing(at=NOW) == []

    def test_falls_due_by_month_plan_and_cohort(self, lived):
        assert deferred.waterfall(at=PERIOD.ends_at) == [
            Deferred(
                month=date(2027, 3, 1),
                plan="business",
                cohort=date(2026, 3, 1),
                granted=Amount(100, 500),
                unbegun=Amount(),
            )
        ]


class TestJournal:
    def test_balances_day_by_day_and_reference_by_reference(self, lived):
        lines = list(journal.lines(PERIOD))

        sums: dict = {}
        for line in lines:
            key = line.day, line.reference
            sums[key] = sums.get(key, 0) + line.debit_cents - line.credit_cents
        assert set(sums.values()) == {0}
        assert {line.reference for line in lines} == {
            *("BROUGHT_IN", "PURCHASE"),  # bookings
            *("GRANTED", "SOLD", "USED"),  # draws
            "charge",  # Stripe's balance
        }

    def test_ends_where_the_roll_forward_and_cash_end(self, lived):
        assert balances(PERIOD.ends_at) == {
            "brought_in": 14_900,  # this plan was not paid at Stripe
            "stripe_clearing": 941,
            "fees": 59,
            "deferred_revenue": -500,
            "revenue": -15_400,
        }
        assert [one.net_cents for one in cash.cash(PERIOD)] == [941]

    def test_calls_accounts_as_the_operator_does(self, lived, settings):
        settings.JOURNAL_ACCOUNTS = {"revenue": "4000"}

        numbers = {line.account: line.number for line in journal.lines(PERIOD)}

        assert numbers["revenue"] == "4000"
        assert numbers["fees"] == "fees"

    def test_knows_an_account_against_every_movement(self):
        assert set(AGAINST_CREDITS) == set(Movement)


class TestRevenue:
    def test_is_the_journals(self, lived):
        lines = revenue.revenue(PERIOD)

        assert [(line.name, line.amount) for line in lines] == [
            ("revenue.USED", Amount(1_600, 15_400)),
            ("fees.charge", Amount(0, -59)),
        ]

    @pytest.mark.parametrize(
        ("broken", "matured", "cents"), [(150, 600, 725), (0, 600, 0), (600, 600, 0)]
    )
    def test_estimates_breakage_pro_rata_to_use(self, broken, matured, cents):
        found = revenue.proportional_cents(2_175, broken=broken, matured=matured)

        assert found == cents


class TestReading:
    def test_asks_for_nothing_twice(self, lived):
        with CaptureQueriesContext(connection) as asked:
            month_page.read(months.month_of(NOW), by=Split.PLAN, at=NOW + DAY)

        looks = [one["sql"] for one in asked if "sum(" in one["sql"]]
        assert len(looks) == 7  # sums, bookings, cash, breakage, due, ages, held
        assert len(set(looks)) == 7

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_sees_one_instant(self):
        with dating.reading():
            before = cash.cash(PERIOD)
            charged()
            meanwhile = list(journal.lines(PERIOD))

        assert (before, meanwhile) == ([], [])
        assert len(list(journal.lines(PERIOD))) == 2


class TestDrilling:
    def test_finds_the_rows_of_every_number(self, lived):
        numbers = [
            (one.drill, one.amount)
            for by in Split
            for row in liability.roll_forward(PERIOD, by=by)
            for one in row.moved
        ]
        numbers += [
            (one.drill, one.amount) for one in liability.ageing(at=PERIOD.ends_at)
        ]
        numbers += [(one.drill, Amount(0, one.net_cents)) for one in cash.cash(PERIOD)]

        for drill, amount in numbers:
            behind = drilling.behind(drill, PERIOD, limit=100)
            assert (
                Amount(
                    sum(one.credits for one in behind), sum(one.cents for one in behind)
                )
                == amount
            )

    @pytest.fixture
    def paid_ahead(self, lived, business):
        """Two more months that are paid, and have not begun."""
        subscription = business.subscriptions.get()
        for number in (1, 2):
            starts_at = NOW + number * 30 * DAY
            Cycle.objects.create(
                subscription=subscription,
                plan_version=subscription.plan_version,
                month=number,
                credits=1_500,
                price_cents=14_900 + number,
                starts_at=starts_at,
                ends_at=starts_at + 30 * DAY,
                expires_at=starts_at + 60 * DAY,
                paid_at=NOW,
            )

    def test_finds_the_rows_of_what_is_deferred(self, paid_ahead):
        steps = month_page.steps_of(deferred.waterfall(at=PERIOD.ends_at))

        assert [(one.code, one.granted.cents, one.unbegun.cents) for one in steps] == [
            ("2026-06", 0, 14_901),
            ("2026-07", 0, 14_902),
            ("2027-03", 500, 0),
        ]
        for step in steps:
            for name, amount in (
                ("granted", step.granted),
                ("unbegun", step.unbegun),
                ("all", step.total),
            ):
                assert added_up(f"deferred/{name}/{step.code}", PERIOD) == amount

    def test_finds_the_rows_of_what_breakage_is_estimated_from(self, lived, business):
        wallet = Wallet.objects.get(account=business)
        ledger.expire_wallet(wallet_id=wallet.pk, at=NOW + 366 * DAY)
        period = Span(NOW - DAY, NOW + 366 * DAY)

        [plan, blocks] = revenue.breakage_estimates(period)

        assert (blocks.broken, blocks.matured) == (Amount(100, 500), Amount(200, 1_000))
        for one in (plan, blocks):
            for name, amount in (
                ("matured", one.matured),
                ("broken", one.broken),
                ("used", Amount(0, one.used_cents)),
                ("ended", Amount(0, one.on_expiry_cents)),
            ):
                assert added_up(f"breakage/{name}/{one.source}", period) == amount

    def test_finds_the_bookings_of_a_line(self, lived):
        [line] = [
            one
            for one in journal.lines(PERIOD)
            if (one.account, one.reference) == (BookAccount.RECEIVABLE, "PURCHASE")
        ]

        [found] = drilling.behind(line.drill, PERIOD, limit=100)

        assert (found.reference, found.cents) == (lived.public_id, 1_000)
        assert found.account == lived.account.public_id

    def test_goes_on_after_the_last_row(self, lived):
        [first, second, *_] = drilling.behind("ledger/GRANTED", PERIOD, limit=9) + (
            drilling.behind("ledger/SOLD", PERIOD, limit=9)
        )

        assert drilling.behind("ledger/SOLD", PERIOD, after=second.id, limit=9) == []
        assert drilling.behind("ledger/SOLD", PERIOD, after=first.id, limit=9)

    @pytest.mark.parametrize("drill", ["nothing/at/all", "cash", "ledger/USED/CREDITS"])
    def test_refuses_keys_that_no_report_gave_out(self, db, drill):
        with pytest.raises(drilling.UnknownDrill):
            drilling.behind(drill, PERIOD, limit=1)


class TestLeft:
    @given(
        cost=st.integers(0, 500_000),
        granted=st.integers(0, 100_000),
        left=st.integers(0, 100_000),
    )
    def test_is_the_same_in_the_database(self, django_db_blocker, cost, granted, left):
        left = min(left, granted)

        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("SELECT billing_left(%s, %s, %s)", [cost, granted, left])
            [found] = cursor.fetchone()

        assert found == left_cents(cost, granted=granted, left=left)
