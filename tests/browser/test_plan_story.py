"""A year of changing one's mind, in a browser: every plan, and none at the end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from billing import portal_clock, time_machine
from billing.models import Invoice
from billing.plans import subscribing
from config import clock
from config.demo import accounts, people
from credits import audits, ledger
from credits.models import GrantSource
from tests.browser.test_buying import expect_balance, fill_in_card

DAY = timedelta(days=1)


@pytest.fixture
def solo(stack):
    """An account on Free, with credits of an earlier plan that were restored to it."""
    account = stack.load(accounts.SOLO)
    at = clock.now()
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=account.pk, at=at),
        source=GrantSource.RESTORE,
        source_key="restored:1",
        credits=300,
        cost_basis_cents=1_500,
        effective_at=at,
        expires_at=at + 365 * DAY,
        actor="test",
        at=at,
    )
    yield account
    portal_clock.put_right()


@pytest.fixture
def sam(solo, page, sign_in):
    sign_in(page, people.SAM)
    return page


def choose(page, family, *, tier=""):
    """Go from the plans to what a change would do."""
    page.goto("/plan/")
    if tier:
        page.get_by_label("Credits each month").select_option(tier)
    page.get_by_role("button", name=f"Choose {family}").click()


def confirm(page, button):
    page.get_by_label("I agree").check()
    page.get_by_role("button", name=re.compile(button)).click()


def headline(page):
    return page.locator("#status")


def due_now(page) -> int:
    shown = page.locator("dd.is-total").inner_text()
    return int(re.sub(r"\D", "", shown))


def subscribe(page, screenshot):
    choose(page, "Creator")
    screenshot(page, "plan-story-1-subscribe")
    confirm(page, "Continue to checkout")
    expect(page).to_have_url(re.compile("/c/pay/"))
    fill_in_card(page)
    page.get_by_role("button", name="Subscribe").click()
    expect(headline(page)).to_contain_text("You are on Creator")
    screenshot(page, "plan-story-2-on-creator")


def upgrade(page, screenshot):
    """Upgrade in the middle of a month: what is charged is what was shown."""
    choose(page, "Pro", tier="pro-1000")
    due = due_now(page)
    screenshot(page, "plan-story-3-preview")
    confirm(page, "^Pay")
    expect(headline(page)).to_contain_text("You are on Pro 1,000")
    screenshot(page, "plan-story-4-on-pro")
    assert Invoice.objects.latest("pk").total_cents == due


def schedule_and_undo(page, screenshot):
    choose(page, "Creator")
    screenshot(page, "plan-story-5-downgrade")
    confirm(page, "Schedule the change")
    expect(headline(page)).to_contain_text("Creator begins on")
    page.goto("/plan/")
    screenshot(page, "plan-story-6-scheduled")
    page.get_by_role("button", name="Undo").click()
    expect(headline(page)).to_contain_text("Pro 5,000 goes on")


def cancel(page, screenshot):
    page.goto("/plan/")
    page.get_by_role("link", name="Cancel the plan").click()
    screenshot(page, "plan-story-7-losses")
    page.get_by_role("button", name="Cancel the plan").click()
    expect(headline(page)).to_contain_text("Pro 5,000 ends on")
    screenshot(page, "plan-story-8-canceled")


def see_invoices(page, screenshot, *, count):
    page.goto("/invoices/")
    expect(page.locator("tbody tr")).to_have_count(count)
    screenshot(page, "plan-story-10-invoices")


class TestStory:
    def test_of_one_account_through_all_plans(self, solo, sam, screenshot):
        subscribe(sam, screenshot)
        expect_balance(sam, "900")

        begun = subscribing.live_subscription(solo.pk)
        time_machine.travel(
            to=begun.anchor_at + (begun.paid_until - begun.anchor_at) / 2
        )
        upgrade(sam, screenshot)
        expect_balance(sam, "1,100")

        time_machine.travel(to=begun.paid_until + DAY)
        expect_balance(sam, "2,100")
        choose(sam, "Pro", tier="pro-5000")
        confirm(sam, "^Pay")
        expect(headline(sam)).to_contain_text("You are on Pro 5,000")

        schedule_and_undo(sam, screenshot)
        cancel(sam, screenshot)
        sam.get_by_role("button", name="Keep the plan").click()
        expect(headline(sam)).to_contain_text("Pro 5,000 goes on")
        cancel(sam, screenshot)

        ending = subscribing.live_subscription(solo.pk)
        time_machine.travel(to=ending.cancel_at + DAY)
        expect_balance(sam, "0")
        expect(sam.locator("main")).to_contain_text("Frozen")
        screenshot(sam, "plan-story-9-free")
        see_invoices(sam, screenshot, count=4)
        assert audits.verify() == []
