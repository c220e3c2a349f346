"""One account, two clicks: one change, one invoice, one grant (R39)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Role, User
from billing.changes import arranging, changing
from billing.changes.changing import Request
from billing.models import ChangeState, Invoice, PlanChange
from billing.plans import catalogue
from billing.views import changes
from credits.models import CreditGrant, GrantSource
from tests.billing.changes import fields, shown, tell_prices
from tests.billing.conftest import connected
from tests.billing.plans import Plans
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import make_account, make_member
from tests.stripe_wire import SECRET_KEY

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
CLICKS = 6


@pytest.fixture
def plans(transactional_db, settings):
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    catalogue.publish(catalogue.read(), currency="usd")
    with connected() as wire:
        wire.at(NOW)
        tell_prices()
        yield Plans(wire)


@pytest.fixture
def account(plans) -> Account:
    return make_account()


@pytest.fixture
def bea(account) -> User:
    return make_member(account, Role.OWNER)


@pytest.fixture
def on_creator(plans, account, monkeypatch):
    subscription = plans.subscribe(account, "creator")
    plans.travel(NOW + timedelta(days=15))
    monkeypatch.setattr(changes, "now", lambda: plans.at)
    return subscription


def pages(plans, account, user, *, count: int) -> list[dict[str, str]]:
    """Open so many windows with the upgrade shown; return what each would send."""
    browser = Client()
    browser.force_login(user)
    address = reverse("billing:preview_change")
    query = {"plan": "pro-1000", "interval": "month"}
    return [fields(browser.get(address, query).content.decode()) for _ in range(count)]


def press(user, forms: list[dict[str, str]]) -> list[str]:
    """Press the button of each form at once; return where that led."""
    browsers = [Client() for _ in range(CLICKS)]
    for browser in browsers:
        browser.force_login(user)

    def click(n: int) -> str:
        sent = forms[n % len(forms)]
        return browsers[n].post(reverse("billing:confirm_change"), sent).get("Location")

    return race(click, rounds=CLICKS, threads=CLICKS)


def finish(plans) -> None:
    """Let the sweeper go on with what a busy Stripe (409) did not take."""
    for change_id in arranging.due_changes(limit=9, at=plans.at + timedelta(minutes=2)):
        arranging.look_after_change(
            change_id=change_id, at=plans.at + timedelta(minutes=2)
        )
    plans.hear()


def effects() -> tuple[int, int, int]:
    upgrades = CreditGrant.objects.filter(source=GrantSource.UPGRADE)
    done = PlanChange.objects.filter(state=ChangeState.DONE)
    paid = Invoice.objects.filter(reason="subscription_update", status="PAID")
    return done.count(), paid.count(), upgrades.count()


class TestClicks:
    @pytest.mark.parametrize("windows", [1, CLICKS])
    def test_are_one_upgrade(self, plans, account, bea, on_creator, windows):
        forms = pages(plans, account, bea, count=windows)

        led_to = press(bea, forms)
        finish(plans)

        [change] = PlanChange.objects.all()
        page = reverse("billing:change", args=[change.public_id])
        assert page in led_to
        assert set(led_to) <= ({page, None} if windows > 1 else {page})
        assert effects() == (1, 1, 1)


class TestNegativeControl:
    def test_without_the_row_every_click_is_a_change(
        self, plans, account, bea, on_creator, owner, monkeypatch
    ):
        previewed = shown(plans, account, "pro-1000")
        owner.execute("DROP INDEX plan_change_one_open")
        monkeypatch.setattr(changing, "_require_unmoved", lambda _: None)
        ask = partial(changing.ask, previewed, account=account, at=plans.at)

        def click(n: int):
            return ask(Request(user=bea, form_key=f"form{n}"))

        outcomes = race(click, rounds=CLICKS, threads=CLICKS)

        assert tally(outcomes) == {"PlanChange": CLICKS}
        PlanChange.objects.all().delete()
        owner.execute(
            "CREATE UNIQUE INDEX plan_change_one_open ON billing_planchange"
            " (account_id) WHERE state IN ('ASKED', 'UNPAID')"
        )
