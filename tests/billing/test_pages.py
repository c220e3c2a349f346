"""What customers see and send, by plan and by role."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Role
from billing import catalogue, settling
from billing.models import BlockOffer, Purchase, PurchaseState
from billing.views import customer, purchases
from credits import ledger
from credits.models import Wallet
from tests.billing.conftest import available, buy, on_plan
from tests.conftest import NOW
from tests.factories import job, make_member

pytestmark = pytest.mark.django_db
# Begin and end of one, where a transaction begins in production.
SAVEPOINTS = 2


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    """The pages read the clock of the tests."""
    monkeypatch.setattr(customer, "now", lambda: NOW)
    monkeypatch.setattr(purchases, "now", lambda: NOW)


@pytest.fixture
def browser(client, alice):
    """The owner of the Business account, signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def as_role(client, business):
    """Sign somebody in with a role in the Business account."""

    def sign_in(role: Role):
        client.force_login(make_member(business, role))
        return client

    return sign_in


@pytest.fixture
def as_owner_on(client, offered):
    """Sign in the owner of an account on a plan."""

    def sign_in(plan: str):
        client.force_login(make_member(on_plan(plan), Role.OWNER))
        return client

    return sign_in


def form(**changes) -> dict[str, str]:
    return {"blocks": "3", "offer": "1", "form_key": uuid4().hex, **changes}


def get(browser, name: str, *args, **query) -> str:
    response = browser.get(reverse(f"billing:{name}", args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


class TestOverview:
    def test_shows_what_is_available_and_what_it_is_made_of(self, browser, business):
        page = get(browser, "overview")

        assert "1,500" in page
        assert "This cycle" in page
        assert "until 10 May 2026" in page

    def test_says_when_the_plan_renews_and_for_how_much(self, browser):
        page = get(browser, "overview")

        assert "10 Apr 2026</time> for $149.00." in page

    def test_an_annual_plan_renews_once_a_year_and_grants_each_month(
        self, client, offered
    ):
        account = on_plan("business", interval="YEAR")
        client.force_login(make_member(account, Role.OWNER))

        page = get(client, "overview")

        assert "10 Mar 2027</time> for $1,476.00." in page
        assert "The next credits come on" in page

    def test_greets_a_new_account_with_what_to_do_next(self, browser):
        assert "You have 1,500 credits until" in get(browser, "overview")

    def test_warns_when_little_is_left(self, browser, business):
        wallet = Wallet.objects.get(account=business)
        ledger.spend(job(wallet, 1_400), at=NOW)

        page = get(browser, "overview")

        assert "Only 100 credits left." in page
        assert "1,500 more come on" in page

    def test_warns_when_nothing_is_left(self, browser, business):
        wallet = Wallet.objects.get(account=business)
        ledger.spend(job(wallet, 1_500), at=NOW)

        assert "No credits left" in get(browser, "overview")

    def test_warns_when_a_payment_is_missing(self, browser, business):
        business.subscriptions.update(status="PAST_DUE")

        assert "A payment for the plan is missing" in get(browser, "overview")

    @pytest.mark.parametrize(
        ("plan", "sentence"),
        [
            ("free", "The Free plan uses no credits. Choose a paid plan."),
            ("creator", "Creator has no one-time credit purchases. Upgrade to Pro"),
            ("pro-1000", "Move to a higher Pro tier."),
        ],
    )
    def test_says_why_there_are_no_blocks_and_what_else(
        self, as_owner_on, plan, sentence
    ):
        page = get(as_owner_on(plan), "overview")

        assert sentence in page
        assert "Buy credits</a>" not in page.partition("<main")[2]

    def test_offers_a_member_nothing_that_is_refused_to_them(self, as_role):
        page = get(as_role(Role.MEMBER), "overview").partition("<main")[2]

        assert "Buy credits" not in page
        assert "Plan &amp; billing" not in page

    def test_shows_no_credits_that_have_expired(self, browser, monkeypatch):
        later = NOW + timedelta(days=100)
        monkeypatch.setattr(customer, "now", lambda: later)

        assert "0 <span" in get(browser, "overview")

    def test_asks_the_database_no_more_than_it_must(
        self, browser, django_assert_max_num_queries
    ):
        get(browser, "overview")

        with django_assert_max_num_queries(15 + SAVEPOINTS):
            get(browser, "overview")


class TestPlan:
    def test_compares_what_is_offered(self, browser):
        page = get(browser, "plan")

        assert "Pro 100,000" in page
        assert "$42,708.00" in page
        assert page.count("Your plan") == 1

    def test_leads_to_the_add_ons(self, browser):
        assert "Manage add-ons" in get(browser, "plan")

    def test_is_refused_to_members_with_who_may(self, as_role):
        response = as_role(Role.MEMBER).get(reverse("billing:plan"))

        assert response.status_code == 403
        roles = ("Owner", "Admin", "Billing")
        assert all(role in response.content.decode() for role in roles)

    def test_asks_the_database_no_more_than_it_must(
        self, wire, browser, business, alice, django_assert_max_num_queries
    ):
        for _ in range(4):
            buy(business, alice)
        get(browser, "plan")

        with django_assert_max_num_queries(10 + SAVEPOINTS):
            get(browser, "plan")


class TestAddOns:
    def test_starts_with_one_block_and_says_what_it_costs(self, browser):
        page = get(browser, "add_ons")

        assert "1 block" in page
        assert "100 credits" in page
        assert "$5.00" in page

    def test_says_until_when_they_can_be_used(self, browser):
        assert "10 Mar 2027" in get(browser, "add_ons")

    def test_computes_the_total_without_a_script(self, browser):
        asked = form(blocks="7", update="1")

        page = browser.post(reverse("billing:buy"), asked).content.decode()

        assert not Purchase.objects.exists()
        assert "7 blocks" in page
        assert "700 credits" in page
        assert "$35.00" in page

    @pytest.mark.parametrize("blocks", ["0", "1.5", "many"])
    def test_says_what_is_wrong_with_a_number_and_nothing_else(self, browser, blocks):
        page = get(browser, "add_ons", blocks=blocks)

        assert 'aria-invalid="true"' in page
        assert "This field is required" not in page

    def test_keeps_the_number_after_a_canceled_checkout(self, browser):
        page = get(browser, "add_ons", blocks="7", canceled="pur_1")

        assert 'value="7"' in page
        assert "Nothing was charged." in page

    @pytest.mark.parametrize("plan", ["free", "creator", "pro-1000"])
    def test_explains_itself_where_nothing_is_sold(self, as_owner_on, plan):
        page = get(as_owner_on(plan), "add_ons")

        assert "Blocks cannot be bought on this plan" in page
        assert "R107" in page
        assert "<form" not in page.partition("<main")[2]

    def test_tells_a_member_whom_to_ask(self, as_role):
        page = get(as_role(Role.MEMBER), "add_ons")

        assert "These roles do: Owner, Admin, Billing." in page
        assert "Continue to checkout" not in page

    def test_has_a_key_of_its_own_each_time(self, browser):
        url = reverse("billing:add_ons")

        keys = {browser.get(url).context["form_key"] for _ in range(3)}

        assert len(keys) == 3


class TestBuy:
    def buy(self, browser, **changes):
        return browser.post(reverse("billing:buy"), form(**changes))

    @pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.BILLING])
    def test_sends_whoever_may_buy_to_the_checkout_page(self, wire, as_role, role):
        response = self.buy(as_role(role))

        assert response.status_code == 303
        assert response.url == wire.sessions()[0]["url"]

    def test_is_refused_to_members(self, wire, as_role):
        response = self.buy(as_role(Role.MEMBER))

        assert response.status_code == 403
        assert not Purchase.objects.exists()

    def test_is_refused_on_plans_that_sell_no_blocks(self, wire, as_owner_on):
        response = self.buy(as_owner_on("creator"))

        assert response.status_code == 403
        assert "Upgrade to Pro for more credits." in response.content.decode()
        assert not Purchase.objects.exists()

    @pytest.mark.parametrize(
        ("blocks", "error"),
        [
            ("0", "Buy at least 1 block."),
            ("-1", "Buy at least 1 block."),
            ("201", "Buy at most 200 blocks at once."),
            ("1000000000", "Buy at most 200 blocks at once."),
            ("9" * 30, "Buy at most 200 blocks at once."),
            ("9" * 5_000, "Enter a whole number of blocks."),
            ("1.5", "Enter a whole number of blocks."),
            ("1.0", "Enter a whole number of blocks."),
            ("1e9", "Enter a whole number of blocks."),
            ("1,000", "Enter a whole number of blocks."),
            ("1_0", "Enter a whole number of blocks."),
            ("٣", "Enter a whole number of blocks."),
            ("three", "Enter a whole number of blocks."),
            ("<script>", "Enter a whole number of blocks."),
            ("", "Enter a number of blocks."),
        ],
    )
    def test_refuses_a_number_that_makes_no_sense(self, wire, browser, blocks, error):
        response = self.buy(browser, blocks=blocks)

        assert response.status_code == 422
        assert error in response.content.decode()
        assert not Purchase.objects.exists()

    @pytest.mark.parametrize(
        "smuggled",
        [
            {"cents": "1"},
            {"price": "1", "amount": "1", "credits": "1000000"},
            {"account": "acc_other", "currency": "jpy"},
        ],
    )
    def test_takes_price_and_account_from_nowhere_but_here(
        self, wire, browser, smuggled
    ):
        self.buy(browser, **smuggled)

        [session] = wire.sessions()
        assert (session["amount_total"], session["currency"]) == (1_500, "usd")

    def test_asks_again_when_the_price_has_changed(self, wire, browser):
        BlockOffer.objects.create(
            version=2,
            starts_at=NOW - timedelta(hours=1),
            credits=100,
            cents=600,
            currency="usd",
            min_blocks=1,
            max_blocks=200,
        )

        response = self.buy(browser, offer="1")

        assert response.status_code == 409
        page = response.content.decode()
        assert "The price has changed" in page
        assert "$18.00" in page
        assert not Purchase.objects.exists()

    @pytest.mark.parametrize("key", ["", "short", "x" * 32, "a" * 64])
    def test_needs_the_key_of_a_form_of_ours(self, wire, browser, key):
        assert self.buy(browser, form_key=key).status_code == 422

    def test_a_double_click_leads_to_one_page(self, wire, browser):
        key = uuid4().hex

        urls = {self.buy(browser, form_key=key).url for _ in range(2)}

        assert len(urls) == len(wire.sessions()) == 1

    def test_a_form_that_was_paid_leads_to_its_purchase(self, wire, browser):
        key = uuid4().hex
        self.buy(browser, form_key=key)
        wire.pay(wire.sessions()[0]["id"])
        purchase = Purchase.objects.get()
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)

        response = self.buy(browser, form_key=key)

        assert response.url == reverse("billing:purchase", args=[purchase.public_id])

    def test_says_that_no_money_moved_when_stripe_is_silent(self, wire, browser):
        wire.fail_next("reset", times=3)
        key = uuid4().hex

        response = self.buy(browser, form_key=key)

        assert response.status_code == 503
        page = response.content.decode()
        assert "No money has moved." in page
        # The next try goes on with the same purchase.
        assert key in page
        assert 'value="3"' in page

    def test_is_a_write(self, browser):
        assert browser.get(reverse("billing:buy")).status_code == 405


class TestReturnPage:
    @pytest.fixture
    def purchase(self, wire, business, alice) -> Purchase:
        return buy(business, alice, blocks=3)

    def test_says_paid_only_when_the_credits_are_there(
        self, wire, browser, purchase, business
    ):
        waiting = get(browser, "purchase", purchase.public_id)
        assert "Waiting for the payment" in waiting
        assert "300 credits added" not in waiting

        wire.pay(purchase.stripe_session_id)
        paid = get(browser, "purchase", purchase.public_id)

        assert "300 credits added" in paid
        assert available(business) == 1_800

    def test_shows_what_was_paid_not_what_was_ordered(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id, quantity=7)

        page = get(browser, "purchase", purchase.public_id)

        assert "700 credits added" in page
        assert "$35.00" in page
        assert "10 Mar 2027" in page

    def test_links_the_receipt(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)

        page = get(browser, "purchase", purchase.public_id)

        purchase.refresh_from_db()
        assert purchase.receipt_url in page

    def test_waits_while_stripe_is_silent(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)
        wire.fail_next("reset", on="GET", times=3)

        page = get(browser, "purchase", purchase.public_id)

        assert "Waiting for the payment" in page

    def test_offers_the_checkout_again_while_it_is_open(self, browser, purchase):
        assert purchase.checkout_url in get(browser, "purchase", purchase.public_id)

    def test_asks_again_without_a_script(self, browser, purchase):
        page = get(browser, "purchase", purchase.public_id)

        assert '<meta http-equiv="refresh" content="10">' in page

    def test_says_plainly_that_it_was_not_completed(
        self, wire, browser, purchase, monkeypatch
    ):
        wire.at(NOW + timedelta(hours=2))

        page = get(browser, "purchase", purchase.public_id)

        assert "This purchase was not completed" in page
        assert "Nothing was charged." in page
        assert "hx-get" not in page

    def test_says_plainly_that_the_money_goes_back(
        self, wire, browser, purchase, business
    ):
        wire.pay(purchase.stripe_session_id)
        business.subscriptions.update(status="CANCELED", ended_at=NOW)

        page = get(browser, "purchase", purchase.public_id)

        assert "Your money is on its way back" in page
        assert "The plan ended before the payment arrived" in page

    def test_of_another_account_is_not_there(self, client, purchase):
        client.force_login(make_member(on_plan("business"), Role.OWNER))

        answers = [
            client.get(reverse(f"billing:{name}", args=[purchase.public_id]))
            for name in ("purchase", "purchase_status")
        ]

        assert [answer.status_code for answer in answers] == [404, 404]

    @pytest.mark.parametrize("public_id", ["pur_unknown", "%00", "..", "a" * 300])
    def test_of_no_purchase_is_not_there(self, browser, public_id):
        assert browser.get(f"/purchases/{public_id}/").status_code == 404


class TestStatusFragment:
    @pytest.fixture
    def purchase(self, wire, business, alice) -> Purchase:
        return buy(business, alice)

    @pytest.mark.parametrize(
        ("polls", "trigger"),
        [
            ("0", "load delay:2s"),
            ("14", "load delay:2s"),
            ("15", "load delay:10s"),
            ("41", "load delay:10s"),
            ("nonsense", "load delay:2s"),
            ("-1", "load delay:2s"),
        ],
    )
    def test_asks_often_at_first_then_patiently(
        self, browser, purchase, polls, trigger
    ):
        page = get(browser, "purchase_status", purchase.public_id, polls=polls)

        assert f'hx-trigger="{trigger}"' in page

    def test_asks_for_five_minutes_in_all(self):
        eager = purchases._EAGER_POLLS * purchases._EAGER_PAUSE_S
        patient = purchases._PATIENT_POLLS * purchases._PATIENT_PAUSE_S

        assert (eager, eager + patient) == (30, 300)

    def test_then_promises_an_email_and_names_the_purchase(self, browser, purchase):
        page = get(browser, "purchase_status", purchase.public_id, polls="42")

        assert "hx-get" not in page
        assert "e-mail you when it is settled" in page
        assert f"name {purchase.public_id}" in page

    def test_asks_stripe_nothing(self, wire, browser, purchase):
        asked = len(wire.http_client.requests)

        get(browser, "purchase_status", purchase.public_id)

        assert len(wire.http_client.requests) == asked

    def test_stops_asking_when_it_is_settled(self, wire, browser, purchase):
        wire.pay(purchase.stripe_session_id)
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)

        page = get(browser, "purchase_status", purchase.public_id)

        assert "hx-get" not in page
        assert "300 credits added" in page


class TestPurchases:
    def test_lists_what_came_to_something_and_what_did_not(
        self, wire, browser, business, alice
    ):
        paid, _open, expired = (buy(business, alice) for _ in range(3))
        wire.pay(paid.stripe_session_id)
        settling.settle(session_id=paid.stripe_session_id, at=NOW)
        Purchase.objects.filter(pk=expired.pk).update(state=PurchaseState.EXPIRED)

        page = get(browser, "purchases")

        assert all(
            text in page for text in ("Paid", "Waiting for payment", "Not completed")
        )

    def test_says_so_when_there_are_none(self, browser):
        assert "No purchases yet" in get(browser, "purchases")


class TestSignedOut:
    @pytest.mark.parametrize("name", ["overview", "plan", "add_ons", "purchases"])
    def test_leads_to_the_sign_in_page(self, client, name):
        response = client.get(reverse(f"billing:{name}"))

        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))


class TestAdmin:
    @pytest.mark.parametrize(
        "table",
        [
            "plan",
            "planversion",
            "blockoffer",
            "customer",
            "subscription",
            "cycle",
            "purchase",
            "webhooksubject",
            "webhookevent",
        ],
    )
    def test_shows_and_changes_nothing(self, wire, business, alice, client, table):
        buy(business, alice)
        alice.is_staff = alice.is_superuser = True
        alice.save()
        client.force_login(alice)

        listed = client.get(reverse(f"admin:billing_{table}_changelist"))
        added = client.get(reverse(f"admin:billing_{table}_add"))

        assert (listed.status_code, added.status_code) == (200, 403)


def test_the_catalogue_of_the_tests_is_that_of_the_file(offered):
    assert catalogue.publish(catalogue.read(), currency="usd") == 0
