"""The add-ons, and the form that buys them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.models import BlockOffer, Purchase
from billing.purchases import settling
from tests.billing.pages.conftest import form, get
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


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
