"""R24: two upgrades at one instant are as good as one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Role
from billing import stripe_gateway
from billing.models import Invoice
from credits.models import CreditGrant, GrantSource
from tests.billing.changes import change, tell_prices
from tests.billing.plans import Plans
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
LADDER = ["creator", "pro-1000", "pro-2000", "pro-5000", "pro-10000", "pro-100000"]
# Each proration is rounded to the cent for itself, and so are its credits, upwards.
CENTS, CREDITS = 2, 1


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.permutations(range(len(LADDER))).map(lambda order: sorted(order[:3])),
    wait_s=st.integers(0, 27 * 86_400),
)
def test_through_a_third_plan_costs_and_brings_the_same(plans, steps, wait_s):
    first, second, third = (LADDER[step] for step in steps)
    begun = [subscribed(plans, first) for _ in range(2)]
    plans.travel(plans.at + timedelta(seconds=wait_s))

    upgrade(plans, begun[0], second, third)
    upgrade(plans, begun[1], third)

    (cents, credits), (cents_at_once, credits_at_once) = map(gained, begun)
    leave(plans, begun)
    assert abs(cents - cents_at_once) <= CENTS
    assert 0 <= credits - credits_at_once <= CREDITS


def subscribed(plans, code):
    account = make_account()
    plans.subscribe(account, code)
    return account, make_member(account, Role.OWNER)


def upgrade(plans, begun, *codes):
    for code in codes:
        change(plans, *begun, code)


def gained(begun) -> tuple[int, int]:
    """What upgrades have cost in cents and brought in credits."""
    account, _ = begun
    bills = Invoice.objects.filter(account=account, reason="subscription_update")
    grants = CreditGrant.objects.filter(wallet__account=account)
    upgrades = grants.filter(source=GrantSource.UPGRADE)
    return (
        sum(bill.net_cents for bill in bills),
        sum(grant.granted for grant in upgrades),
    )


def leave(plans, begun):
    """End what nobody looks at any more: the next example would renew it."""
    for account, _ in begun:
        stripe_id = account.subscriptions.get().stripe_subscription_id
        stripe_gateway.end_now(stripe_id, comment="", key=f"end:{account.pk}:1")
    plans.hear()
