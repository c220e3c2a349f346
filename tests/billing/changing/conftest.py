"""A customer on Creator, half through a month, at a Stripe that knows all prices."""

from __future__ import annotations

import pytest

from accounts.models import Role
from billing.models import Subscription
from tests.billing.changes import HALF, tell_prices
from tests.billing.plans import Plans
from tests.factories import make_account, make_member


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account()


@pytest.fixture
def bea(account):
    return make_member(account, Role.OWNER, "bea@northwind.example")


@pytest.fixture
def on_creator(plans, account, bea) -> Subscription:
    subscription = plans.subscribe(account, "creator")
    plans.travel(HALF)
    return subscription
