"""Plan & billing: what can be chosen, what it would do, and what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.templatetags.units import MINUS
from billing.changes import migrating
from billing.core.transitions import TRANSITIONS
from billing.models import (
    ChangeState,
    Consent,
    Interval,
    PlanChange,
    PlanVersion,
    Purchase,
    Subscription,
)
from billing.plans import subscribing
from billing.views import changes, plan
from tests.billing.changes import change, fields, tell_prices
from tests.billing.conftest import available, buy
from tests.billing.pages.conftest import get
from tests.billing.plans import HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
APRIL = NOW.replace(month=4)
HALF = NOW + (APRIL - NOW) / 2


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account()


@pytest.fixture
def bea(account):
    return make_member(account, Role.BILLING, "bea@northwind.example")


@pytest.fixture
def signed_in(client, bea):
    client.force_login(bea)
    return client


@pytest.fixture
def on_creator(plans, account, bea, monkeypatch) -> Subscription:
    subscription = plans.subscribe(account, "creator")
    travel(plans, HALF, monkeypatch)
    return subscription


def travel(plans, to, monkeypatch) -> None:
    plans.travel(to)
    for views in (changes, plan):
        monkeypatch.setattr(views, "now", lambda: plans.at)


def preview(browser, code: str, interval: str = "month") -> str:
    return get(browser, "preview_change", plan=code, interval=interval)


def confirm(browser, page: str, **changes):
    return browser.post(reverse("billing:confirm_change"), fields(page) | changes)


def post(browser, name: str, change: PlanChange):
    return browser.post(reverse(f"billing:{name}", args=[change.public_id]))


class TestComparison:
    def test_shows_each_family_once_and_every_tier(self, signed_in):
        page = get(signed_in, "plan")

        assert page.count('class="plan-offer') - page.count("plan-offer-top") == 4
        assert "100,000 for $4,300.00" in page
        assert "Choose Creator" in page

    def test_shows_annual_prices_on_demand(self, signed_in):
        page = get(signed_in, "plan", interval="year")

        assert "$288.00" in page
        assert "a year" in page

    def test_marks_the_own_plan_and_does_not_offer_it(self, signed_in, on_creator):
        page = get(signed_in, "plan")

        assert "Your plan" in page
        assert "Choose Creator" not in page
        assert "Choose Business" in page

    def test_of_a_role_that_may_not_change_it_says_who_may(
        self, client, account, on_creator, monkeypatch
    ):
        monkeypatch.setattr(plan, "may", lambda *_: False)
        client.force_login(make_member(account, Role.BILLING))

        page = get(client, "plan")

        assert "Your role does not include changing the plan" in page
        assert "Choose" not in page

    def test_while_a_payment_is_overdue_says_so(
        self, plans, signed_in, on_creator, monkeypatch
    ):
        plans.let_cards_fail(on_creator)
        travel(plans, APRIL + 2 * HOUR, monkeypatch)

        page = get(signed_in, "plan")

        assert "The payment of $29.00 for your plan failed" in page
        assert "Pay now" in page
        assert "Rule R38" in page
        assert "Choose" not in page


class TestPreview:
    def test_shows_the_bill_by_stripes_lines(self, signed_in, on_creator):
        page = preview(signed_in, "pro-1000")

        assert f"{MINUS}$14.50" in page
        assert "$24.50" in page
        assert "Pay $10.00 and change" in page
        assert "200 credits are added at once" in page
        assert "10 Apr 2026" in page

    def test_shows_what_is_agreed_to(self, signed_in, on_creator):
        page = preview(signed_in, "pro-1000")

        assert "Pro 1,000 renews every month for $49.00" in page

    def test_of_fewer_credits_says_so(self, plans, account, signed_in):
        plans.subscribe(account, "pro-5000")

        page = preview(signed_in, "business")

        assert "Each month brings 1,500 credits instead of 5,000 credits." in page
        assert "Nothing is charged today." in page

    def test_of_the_own_plan_is_refused_with_its_rule(self, signed_in, on_creator):
        address = reverse("billing:preview_change")

        response = signed_in.get(address, {"plan": "creator", "interval": "month"})

        assert response.status_code == 409
        assert "This is your plan already." in response.content.decode()

    def test_of_what_is_not_sold_is_refused(self, signed_in):
        for query in ({"plan": "gold"}, {"plan": "creator", "interval": "week"}, {}):
            response = signed_in.get(reverse("billing:preview_change"), query)

            assert response.status_code == 409

    def test_without_stripe_is_not_made_up(self, plans, signed_in, on_creator):
        plans.wire.fail_next("reset", times=9)
        address = reverse("billing:preview_change")

        response = signed_in.get(address, {"plan": "pro-1000", "interval": "month"})

        assert response.status_code == 503
        assert "no money has moved" in response.content.decode()


class TestConfirming:
    def test_leads_to_the_result(self, account, signed_in, on_creator):
        response = confirm(signed_in, preview(signed_in, "pro-1000"))

        made = PlanChange.objects.get()
        assert response.status_code == 303
        assert response.url == reverse("billing:change", args=[made.public_id])
        page = get(signed_in, "change", made.public_id)
        assert "You are on Pro 1,000" in page
        assert "200 credits were added" in page
        assert available(account) == 800

    def test_keeps_what_was_agreed_to(self, account, bea, signed_in, on_creator):
        confirm(signed_in, preview(signed_in, "pro-1000"))

        consent = Consent.objects.get()
        assert (consent.user, consent.version) == (bea, "plan-1")
        assert consent.text.startswith("Pro 1,000 renews every month for $49.00")
        assert (consent.address, consent.given_at) == ("127.0.0.1", HALF)
        assert consent.target == PlanChange.objects.get().public_id

    def test_without_agreeing_changes_nothing(self, account, signed_in, on_creator):
        response = confirm(signed_in, preview(signed_in, "pro-1000"), agree="")

        assert response.status_code == 422
        assert "Agree to the renewal to go on." in response.content.decode()
        assert not PlanChange.objects.exists()

    def test_twice_is_once(self, account, signed_in, on_creator):
        sent = fields(preview(signed_in, "pro-1000"))

        responses = [
            signed_in.post(reverse("billing:confirm_change"), sent) for _ in range(2)
        ]

        assert responses[0].url == responses[1].url
        assert PlanChange.objects.count() == 1

    def test_too_late_shows_it_again(self, plans, signed_in, on_creator, monkeypatch):
        page = preview(signed_in, "pro-1000")
        travel(plans, HALF + HOUR, monkeypatch)

        response = confirm(signed_in, page)

        assert response.status_code == 409
        assert "Look at it again" in response.content.decode()
        assert not PlanChange.objects.exists()

    def test_with_a_made_up_token_is_refused(self, signed_in, on_creator):
        response = confirm(signed_in, preview(signed_in, "pro-1000"), token="x:y")

        assert response.status_code == 409

    def test_with_a_failing_card_says_what_is_missing(
        self, plans, signed_in, on_creator
    ):
        plans.let_cards_fail(on_creator)

        confirm(signed_in, preview(signed_in, "pro-1000"))

        page = get(signed_in, "change", PlanChange.objects.get().public_id)
        assert "The payment did not go through" in page
        assert "Pay $10.00" in page
        assert "Drop the change" in page

    def test_of_a_first_plan_leads_to_the_checkout(self, plans, wire, signed_in):
        response = confirm(signed_in, preview(signed_in, "creator"))

        made = PlanChange.objects.get()
        assert response.url == made.checkout_url
        wire.pay(made.stripe_session_id)
        assert "You are on Creator" in get(signed_in, "change", made.public_id)


class TestNewPrice:
    def test_is_told_with_its_day_and_cannot_be_undone(
        self, plans, account, signed_in, on_creator
    ):
        dearer = PlanVersion.objects.get(plan__code="creator")
        dearer.pk, dearer.version, dearer.starts_at = None, 2, NOW
        dearer.month_cents = 3_900
        dearer.save()
        tell_prices()
        [planned] = migrating.planned(at=plans.at)
        made = migrating.migrate(planned, at=plans.at)

        page = get(signed_in, "plan")
        post(signed_in, "undo_change", made)

        assert " on, Creator costs $39.00 a month." in page
        assert "Undo" not in page
        made.refresh_from_db()
        assert made.state == ChangeState.SCHEDULED


class TestCanceling:
    def test_names_each_loss(self, plans, wire, account, bea, signed_in, monkeypatch):
        plans.subscribe(account, "business")
        purchase = buy(account, bea)
        wire.pay(purchase.stripe_session_id)
        plans.hear()

        page = preview(signed_in, "free")

        assert "The plan ends on" in page
        assert "Today that would be 1,500 credits, which cost $149.00." in page
        assert "Today that would be 300 credits, which cost $15.00." in page
        assert "Of these, 300 credits were bought lately" in page
        assert "you can have $15.00 for them back" in page
        assert "Keep the plan" in page

    def test_offers_no_refund_of_what_was_bought_long_ago(
        self, plans, wire, account, bea, signed_in
    ):
        plans.subscribe(account, "business")
        purchase = buy(account, bea)
        wire.pay(purchase.stripe_session_id)
        plans.hear()
        Purchase.objects.update(paid_at=NOW - timedelta(days=14))

        assert "bought lately" not in preview(signed_in, "free")

    def test_keeps_the_reason_and_asks_for_no_agreement(self, signed_in, on_creator):
        page = preview(signed_in, "free")

        confirm(signed_in, page, agree="", comment="Too dear")

        made = PlanChange.objects.get()
        assert (made.state, made.reason) == (ChangeState.SCHEDULED, "Too dear")
        assert "Creator ends on" in get(signed_in, "plan")

    def test_is_undone_by_one_button(self, plans, account, bea, signed_in, on_creator):
        made = change(plans, account, bea, "free")

        response = post(signed_in, "undo_change", made)

        assert response.status_code == 303
        page = get(signed_in, "change", made.public_id)
        assert "Creator goes on" in page
        assert subscribing.live_subscription(account.pk).cancel_at is None

    def test_made_at_stripe_can_be_undone_here(
        self, plans, account, signed_in, on_creator
    ):
        plans.update(on_creator, cancel_at_period_end=True)
        plans.hear()

        page = get(signed_in, "plan")
        assert "Keep the plan" in page
        post(signed_in, "undo_change", PlanChange.objects.get())

        assert subscribing.live_subscription(account.pk).cancel_at is None


class TestOpenChanges:
    def test_of_a_checkout_can_be_gone_on_with_or_dropped(
        self, plans, account, bea, signed_in
    ):
        made = change(plans, account, bea, "creator")

        assert "is still open" in get(signed_in, "plan")
        assert made.checkout_url in get(signed_in, "change", made.public_id)
        post(signed_in, "drop_change", made)

        page = get(signed_in, "change", made.public_id)
        assert "You stay on Free" in page

    def test_of_an_unpaid_upgrade_can_be_dropped(
        self, plans, account, bea, signed_in, on_creator
    ):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")

        post(signed_in, "drop_change", made)

        assert "You stay on Creator" in get(signed_in, "change", made.public_id)

    def test_hold_others_back(self, plans, account, bea, signed_in, on_creator):
        page = preview(signed_in, "pro-5000")
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")

        response = confirm(signed_in, page)

        assert response.url == reverse("billing:change", args=[made.public_id])

    def test_poll_without_a_script_too(self, plans, account, bea, signed_in):
        made = change(plans, account, bea, "creator")

        page = get(signed_in, "change", made.public_id)

        assert '<meta http-equiv="refresh" content="10">' in page
        status = reverse("billing:change_status", args=[made.public_id])
        assert f'hx-get="{status}?polls=1"' in page
        assert 'polls=6"' in signed_in.get(status, {"polls": "5"}).content.decode()

    def test_of_others_are_not_found(self, plans, account, bea, client, on_creator):
        made = change(plans, account, bea, "pro-1000")
        client.force_login(make_member(make_account(), Role.OWNER))

        for name in ("change", "change_status"):
            address = reverse(f"billing:{name}", args=[made.public_id])
            assert client.get(address).status_code == 404
        for name in ("undo_change", "drop_change"):
            assert post(client, name, made).status_code == 404


class TestMoves:
    def test_are_printed_as_they_decide(self, signed_in):
        page = get(signed_in, "plan_moves")

        assert page.count("<tr>") == len(TRANSITIONS) + 1


class TestPaymentDetails:
    def test_are_kept_at_stripe(self, signed_in, plans, account, bea):
        made = change(plans, account, bea, "creator")
        assert made.checkout_url

        response = signed_in.post(reverse("billing:payment_details"))

        assert response.status_code == 303
        assert "/p/session/" in response.url

    def test_need_a_customer(self, signed_in):
        response = signed_in.post(reverse("billing:payment_details"))

        assert response.status_code == 404


class TestAnnual:
    def test_begins_at_once(self, signed_in, on_creator):
        page = preview(signed_in, "creator", "year")

        assert "Pay $273.50 and change" in page
        assert "600 credits are added when the payment arrives" in page

        confirm(signed_in, page)

        assert Subscription.objects.get().interval == Interval.YEAR
