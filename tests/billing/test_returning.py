"""A year that returns what is unspent of the month, if that is set (R30)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Role
from billing.changes import arranging, previewing
from billing.core.periods import Span
from billing.core.proration import Unspent, unspent_share
from billing.models import ChangeState, Interval, Invoice, PlanChange
from credits import audits, ledger
from credits.models import CreditGrant, Wallet
from tests.billing.changes import change, confirm, shown, tell_prices
from tests.billing.conftest import available
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import job, make_account, make_member

APRIL = NOW.replace(month=4)
HALF = NOW + (APRIL - NOW) / 2


class TestUnspentShare:
    @pytest.mark.parametrize(
        ("free", "day", "expected"),
        [
            (600, 16, Unspent(300, 1_450)),  # half of the time: it is less
            (150, 16, Unspent(150, 725)),  # a quarter of the credits: it is less
            (0, 16, Unspent(0, 0)),
            (600, 31, Unspent(20, 97)),  # 96.67
        ],
    )
    def test_is_of_the_time_or_of_the_credits_whichever_is_less(
        self, free, day, expected
    ):
        first = datetime(2026, 4, 1, tzinfo=UTC)
        april = Span(first, first + timedelta(days=30))
        at = first + timedelta(days=day - 1) if day < 31 else first + timedelta(days=29)

        found = unspent_share(
            granted=600, free=free, paid_cents=2_900, life=april, at=at
        )

        assert found == expected


@pytest.mark.django_db
class TestReturn:
    @pytest.fixture(autouse=True)
    def _set(self, settings):
        settings.RETURN_UNSPENT_SHARE = True

    @pytest.fixture
    def plans(self, wire) -> Plans:
        tell_prices()
        return Plans(wire)

    @pytest.fixture
    def account(self, offered):
        return make_account()

    @pytest.fixture
    def bea(self, account):
        return make_member(account, Role.OWNER, "bea@northwind.example")

    @pytest.fixture
    def on_creator(self, plans, account):
        """On Creator for half a month."""
        subscription = plans.subscribe(account, "creator")
        plans.travel(HALF)
        return subscription

    def test_of_all_is_that_of_the_time_and_takes_as_many_credits(
        self, plans, account, bea, on_creator
    ):
        previewed = shown(plans, account, "creator", Interval.YEAR)

        made = confirm(plans, account, bea, previewed)

        assert previewed.due_cents == 28_800 - 1_450
        assert made.state == ChangeState.DONE
        assert Invoice.objects.latest("pk").net_cents == previewed.due_cents
        assert available(account) == 600 - 300 + 600
        assert audits.verify() == []

    def test_of_what_was_spent_is_nothing(self, plans, account, bea, on_creator):
        spend(plans, account, 600)

        previewed = shown(plans, account, "creator", Interval.YEAR)
        confirm(plans, account, bea, previewed)

        assert previewed.due_cents == 28_800
        assert Invoice.objects.latest("pk").net_cents == 28_800
        assert available(account) == 600

    def test_is_shown_again_if_credits_were_spent_meanwhile(
        self, plans, account, bea, on_creator
    ):
        previewed = shown(plans, account, "creator", Interval.YEAR)
        spend(plans, account, 450)

        with pytest.raises(previewing.PreviewDiffers) as differs:
            confirm(plans, account, bea, previewed)

        assert differs.value.now.due_cents == 28_800 - 725

    def test_includes_an_upgrade_of_the_same_month(
        self, plans, account, bea, on_creator
    ):
        change(plans, account, bea, "pro-1000")

        previewed = shown(plans, account, "pro-1000", Interval.YEAR)

        assert previewed.returned == Unspent(300 + 200, 1_450 + 1_000)

    def test_makes_the_year_cost_its_own_price(self, plans, account, bea, on_creator):
        """R100: what was returned went with the credits that were taken."""
        change(plans, account, bea, "creator", Interval.YEAR)

        year = CreditGrant.objects.latest("pk")
        assert year.cost_basis_cents == 2_400

    def test_of_what_is_spent_before_the_payment_is_owed(
        self, plans, account, bea, on_creator
    ):
        plans.let_cards_fail(on_creator)
        waiting = change(plans, account, bea, "creator", Interval.YEAR)
        spend(plans, account, 500)

        plans.wire.pay_invoice(Invoice.objects.latest("pk").stripe_invoice_id)
        plans.hear()

        waiting.refresh_from_db()
        wallet = Wallet.objects.get(account=account)
        assert waiting.state == ChangeState.DONE
        assert (wallet.available, wallet.debt) == (600, 200)

    def test_that_stripe_heard_half_of_is_kept_back(
        self, plans, account, bea, on_creator
    ):
        plans.wire.fail_next("reset", on="POST /v1/subscriptions", times=3)
        change(plans, account, bea, "creator", Interval.YEAR)
        before = waiting_items(plans)

        late = plans.at + timedelta(minutes=11)
        [change_id] = arranging.due_changes(limit=1, at=late)
        arranging.look_after_change(change_id=change_id, at=late)

        assert (before, waiting_items(plans)) == ([-1_450], [])
        assert PlanChange.objects.get().state == ChangeState.REFUSED

    def test_that_stripe_heard_half_of_is_made_once(
        self, plans, account, bea, on_creator
    ):
        plans.wire.fail_next("reset", on="POST /v1/subscriptions", times=3)
        made = change(plans, account, bea, "creator", Interval.YEAR)

        soon = plans.at + timedelta(minutes=2)
        arranging.look_after_change(change_id=made.pk, at=soon)

        assert Invoice.objects.latest("pk").net_cents == 28_800 - 1_450
        assert waiting_items(plans) == []


def spend(plans, account, credits):
    ledger.spend(job(Wallet.objects.get(account=account), credits), at=plans.at)


def waiting_items(plans) -> list[int]:
    items = plans.wire.client().v1.invoice_items.list({"pending": True})
    return [item.amount for item in items.data]
