"""Buying blocks in a real browser, and all that a buyer can meet on the way."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from config.demo import accounts, people
from tests.browser.conftest import sign_in_by_form

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"

DEVICES = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone-at-night": {
        "viewport": {"width": 360, "height": 740},
        "color_scheme": "dark",
        "has_touch": True,
    },
}


@pytest.fixture
def northwind(stack):
    return stack.load()


@pytest.fixture
def buyer(northwind, page, sign_in):
    """The page of Northwind's owner, on the overview."""
    sign_in(page, people.NORA)
    page.goto("/")
    return page


def order(page, *, blocks):
    """Choose a number with the + button and go on to the checkout."""
    page.goto("/plan/add-ons/")
    for _ in range(blocks - 1):
        page.get_by_role("button", name="One block more").click()
    page.get_by_role("button", name="Continue to checkout").click()
    expect(page).to_have_url(re.compile("/c/pay/"))


def fill_in_card(page, number=GOOD_CARD):
    page.get_by_label("Card number").fill(number)
    page.get_by_label(re.compile("Expiration date")).fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Cardholder name").fill("Nora Lind")


def pay(page, number=GOOD_CARD):
    fill_in_card(page, number)
    page.get_by_role("button", name=re.compile("^Pay")).click()


def expect_balance(page, figure):
    page.goto("/")
    expect(page.locator(".balance")).to_have_text(re.compile(rf"^{figure}\s+credits$"))


def tab_to(page, target):
    """Press Tab until `target` has the focus, as somebody without a mouse does."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The Tab key does not lead to {target}.")


class TestBuying:
    @pytest.mark.parametrize("look", DEVICES)
    def test_three_blocks_become_three_hundred_credits(
        self, northwind, new_context, sign_in, screenshot, look
    ):
        page = new_context(**DEVICES[look]).new_page()
        sign_in(page, people.NORA)
        expect_balance(page, "1,500")
        screenshot(page, f"buying-{look}-1-before")

        page.goto("/plan/add-ons/")
        page.get_by_role("button", name="One block more").click()
        page.get_by_role("button", name="One block more").click()
        expect(page.get_by_label("Blocks of 100 credits")).to_have_value("3")
        expect(page.locator("main")).to_contain_text("3 blocks = 300 credits")
        expect(page.locator("dd.is-total")).to_have_text("$15.00")
        screenshot(page, f"buying-{look}-2-order")
        page.get_by_role("button", name="Continue to checkout").click()
        fill_in_card(page)
        screenshot(page, f"buying-{look}-3-checkout")
        page.get_by_role("button", name="Pay $15.00").click()

        expect(page).to_have_url(re.compile("/purchases/pur_"))
        expect(page.get_by_role("heading", name="300 credits added")).to_be_visible()
        screenshot(page, f"buying-{look}-4-return")
        expect_balance(page, "1,800")
        expect(page.locator("main")).to_contain_text("Purchased")
        screenshot(page, f"buying-{look}-5-after")

    def test_the_plan_page_leads_to_the_blocks(self, buyer):
        buyer.get_by_role("link", name="Plan & billing").first.click()
        buyer.get_by_role("link", name="Manage add-ons").click()

        expect(buyer.get_by_role("heading", name="Buy credits")).to_be_visible()

    def test_the_keyboard_alone_is_enough(self, buyer):
        main = buyer.locator("main")
        tab_to(buyer, main.get_by_role("link", name="Buy credits").first)
        buyer.keyboard.press("Enter")
        tab_to(buyer, buyer.get_by_label("Blocks of 100 credits"))
        buyer.keyboard.press("ArrowUp")
        buyer.keyboard.press("ArrowUp")
        expect(buyer.locator("dd.is-total")).to_have_text("$15.00")
        tab_to(buyer, buyer.get_by_role("button", name="Continue to checkout"))
        buyer.keyboard.press("Enter")

        tab_to(buyer, buyer.get_by_label("Card number"))
        for typed in (GOOD_CARD, "1234", "123", "Nora Lind"):
            buyer.keyboard.type(typed)
            buyer.keyboard.press("Tab")
        buyer.keyboard.press("Enter")

        expect(buyer.get_by_role("heading", name="300 credits added")).to_be_visible()

    def test_javascript_is_not_needed(self, northwind, new_context, screenshot):
        page = new_context(java_script_enabled=False).new_page()
        sign_in_by_form(page, people.NORA)
        page.goto("/plan/add-ons/")
        page.get_by_label("Blocks of 100 credits").fill("3")
        page.get_by_role("button", name="Update the total").click()
        expect(page.locator("dd.is-total")).to_have_text("$15.00")
        screenshot(page, "buying-without-javascript")

        page.get_by_role("button", name="Continue to checkout").click()
        pay(page)

        expect(page.get_by_role("heading", name="300 credits added")).to_be_visible()
        expect_balance(page, "1,800")


class TestCheckout:
    def test_a_number_changed_there_is_what_is_granted(self, buyer):
        order(buyer, blocks=3)

        buyer.get_by_label("Qty").fill("7")
        expect(buyer.get_by_role("button", name="Pay $35.00")).to_be_visible()
        pay(buyer)

        expect(buyer.get_by_role("heading", name="700 credits added")).to_be_visible()
        expect_balance(buyer, "2,200")

    def test_a_declined_card_says_so_and_leaves_the_balance(self, buyer, screenshot):
        order(buyer, blocks=3)

        pay(buyer, DECLINED_CARD)

        expect(buyer.get_by_role("alert")).to_have_text("Your card was declined.")
        screenshot(buyer, "checkout-declined")
        expect_balance(buyer, "1,500")

    def test_another_card_may_be_tried(self, buyer):
        order(buyer, blocks=3)
        pay(buyer, DECLINED_CARD)
        expect(buyer.get_by_role("alert")).to_have_text("Your card was declined.")

        pay(buyer)

        expect(buyer.get_by_role("heading", name="300 credits added")).to_be_visible()

    def test_leaving_it_keeps_the_number(self, buyer, screenshot):
        order(buyer, blocks=4)

        buyer.get_by_role("link", name="Cancel and go back").click()

        expect(buyer.get_by_label("Blocks of 100 credits")).to_have_value("4")
        expect(buyer.get_by_role("status").first).to_contain_text(
            "The checkout was left before paying. Nothing was charged."
        )
        screenshot(buyer, "checkout-left")
        expect_balance(buyer, "1,500")


class TestReturnPage:
    def test_waits_and_then_tells_by_itself(self, buyer, screenshot):
        order(buyer, blocks=3)
        checkout = buyer.url
        buyer.goto("/purchases/")
        buyer.locator("main").get_by_role("link", name="300 credits").click()
        waiting = buyer.get_by_role("heading", name="Waiting for the payment")
        expect(waiting).to_be_visible()
        screenshot(buyer, "purchase-waiting")

        elsewhere = buyer.context.new_page()
        elsewhere.goto(checkout)
        pay(elsewhere)

        expect(buyer.get_by_role("heading", name="300 credits added")).to_be_visible()


class TestWhoMayNotBuy:
    def test_creator_learns_why_and_what_else(self, stack, page, sign_in, screenshot):
        stack.load(accounts.LUMEN)
        sign_in(page, people.LUCIA)

        page.goto("/plan/add-ons/")

        main = page.locator("main")
        expect(main).to_contain_text("Creator has no one-time credit purchases.")
        expect(main).to_contain_text("Pro")
        expect(main.locator("input[name=blocks]")).to_have_count(0)
        screenshot(page, "creator-why-not")
        main.get_by_role("link", name="Compare the plans").click()
        expect(page).to_have_url(re.compile("/plan/#plans$"))

    def test_a_member_learns_whom_to_ask(self, northwind, page, sign_in, screenshot):
        sign_in(page, people.MILO)

        page.goto("/plan/add-ons/")

        main = page.locator("main")
        expect(main).to_contain_text("Your role does not include buying credits.")
        expect(main).to_contain_text("Owner, Admin, Billing")
        expect(main.locator("input[name=blocks]")).to_have_count(0)
        screenshot(page, "member-why-not")
