"""What Stripe tells of refunds, in every order and twice: the same in the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from billing.models import Refund
from billing.refunds import taking_back
from billing.stripe_gateway import StripeRefund
from credits import audits
from tests.billing.refunds import LATER, bought, grant_of, use, wallet_of
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
ARRIVES, SLOW = ("succeeded",), ("pending", "succeeded")
FAILS = ("succeeded", "failed")


def told(purchase, name: str, cents: int, statuses: tuple[str, ...]):
    """The states in which somebody may see a refund."""
    seen = StripeRefund(
        id=f"re_{name}",
        status="",
        amount_cents=cents,
        currency="usd",
        payment_intent_id=purchase.stripe_payment_intent_id,
        refund="",
        failure="",
        created_at=NOW,
    )
    return [replace(seen, status=status) for status in statuses]


ORDERS = list(permutations(range(5)))


class TestInAnyOrder:
    @pytest.mark.parametrize("order", ORDERS[::6], ids=str)
    def test_refunds_leave_the_same_credits_and_states(
        self, wire, business, alice, order
    ):
        purchase = bought(wire, business, alice)
        seen = [
            *told(purchase, "slow", 100, SLOW),
            *told(purchase, "failing", 150, FAILS),
            *told(purchase, "quick", 50, ARRIVES),
        ]

        for place in (*order, *order):
            taking_back.apply_refund(seen[place], at=LATER)

        states = dict(Refund.objects.values_list("stripe_refund_id", "state"))
        assert states == {"re_slow": "DONE", "re_failing": "FAILED", "re_quick": "DONE"}
        assert grant_of(purchase).remaining == 70
        assert audits.verify() == []

    @pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
    def test_refunds_leave_the_same_debt(self, wire, business, alice, order):
        purchase = bought(wire, business, alice)
        use(business, 1_560)
        seen = [
            *told(purchase, "first", 200, SLOW),
            *told(purchase, "second", 300, SLOW),
        ]

        for place in (*order, *order):
            taking_back.apply_refund(seen[place], at=LATER)

        assert (grant_of(purchase).remaining, wallet_of(business).debt) == (0, 60)
        assert audits.verify() == []
