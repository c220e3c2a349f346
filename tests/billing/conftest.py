"""The portal beside a Stripe of its own: accounts on plans, and the wire."""

from __future__ import annotations

from contextlib import closing, contextmanager
from copy import deepcopy
from itertools import count

import pytest

from accounts.models import Account, Role, User
from billing import stripe_gateway
from billing.models import (
    BlockOffer,
    FreeVideoOffer,
    Interval,
    Plan,
    PlanVersion,
    Purchase,
)
from billing.plans import catalogue, renewing
from billing.purchases import purchasing
from credits.models import Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_member
from tests.stripe_wire import SECRET_KEY, StripeWire

_forms = count(1)
_published: list[PlanVersion | BlockOffer | FreeVideoOffer] = []


@pytest.fixture
def offered(db):
    """The catalogue, published; after the first time by its rows, which is faster."""
    if _published:
        _insert(*deepcopy(_published))
        return
    catalogue.publish(catalogue.read(), currency="usd")
    versions = PlanVersion.objects.select_related("plan").order_by("pk")
    _published.extend(versions)
    _published.extend([BlockOffer.objects.get(), FreeVideoOffer.objects.get()])


def _insert(*rows: PlanVersion | BlockOffer | FreeVideoOffer) -> None:
    *versions, blocks, free_videos = rows
    for row in (*rows, *(version.plan for version in versions)):
        row.pk = None
    Plan.objects.bulk_create(version.plan for version in versions)
    for version in versions:
        version.plan_id = version.plan.pk
    PlanVersion.objects.bulk_create(versions)
    blocks.save()
    free_videos.save()


@pytest.fixture
def wire(offered, settings):
    """Stripe on this process's own wire, knowing the block's price, at NOW."""
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    with connected() as wire:
        wire.at(NOW)
        yield wire


@pytest.fixture
def business(offered) -> Account:
    """An account on Business since NOW: 1,500 credits."""
    return on_plan("business")


@pytest.fixture
def alice(business) -> User:
    """The owner of the Business account."""
    return make_member(business, Role.OWNER, "alice@example.com")


@contextmanager
def connected():
    """Speak to a new sandbox, which knows the block's price, until the block ends."""
    wire = StripeWire()
    with closing(wire), stripe_gateway.using(wire.http_client):
        for price in catalogue.prices_to_sell():
            if not price.interval:
                stripe_gateway.ensure_price(price)
        yield wire


def on_plan(code: str, *, interval=Interval.MONTH, anchor_at=NOW) -> Account:
    account = make_account()
    if code != "free":
        renewing.begin(
            account_id=account.pk,
            plan_code=code,
            interval=interval,
            anchor_at=anchor_at,
            at=NOW,
        )
    return account


def buy(account: Account, buyer: User, blocks: int = 3, **changes) -> Purchase:
    """Send the form: a new one unless `form_key` says otherwise."""
    return purchasing.buy_blocks(
        account=account,
        buyer=buyer,
        offer=catalogue.blocks_in_force(at=NOW),
        blocks=blocks,
        **{"form_key": f"form{next(_forms)}", "at": NOW, **changes},
    )


def available(account: Account) -> int:
    return Wallet.objects.get(account=account).available


def event_of(event: dict) -> stripe_gateway.StripeEvent:
    subject = event["data"]["object"]
    return stripe_gateway.StripeEvent(
        id=event["id"],
        kind=event["type"],
        object_id=subject["id"],
        object_kind=subject["object"],
        api_version=event["api_version"],
        is_live=False,
        payload=event,
    )
