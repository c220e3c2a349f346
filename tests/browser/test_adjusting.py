"""Credits for a customer, by two people of the staff, in a browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from accounts.models import Notice
from accounts.roles import StaffGroup
from config.demo import accounts, people
from credits import audits

NOTE = "For the two exports that failed on Monday"


@pytest.fixture
def northwind(stack):
    return stack.load()


@pytest.fixture
def staff(settings):
    """Theo may adjust up to 100 credits; Amara approves."""
    settings.ADJUSTMENT_LIMIT = 100
    for person, group in ((people.THEO, "SUPPORT"), (people.AMARA, "ADMIN")):
        groups = Group.objects.filter(name=StaffGroup[group])
        accounts.make_person(person, is_staff=True).groups.set(groups)


@pytest.fixture
def open_as(new_context, sign_in):
    """Open a window in which somebody is signed in."""

    def open_as(person):
        page = new_context(viewport={"width": 1280, "height": 900}).new_page()
        sign_in(page, person)
        return page

    return open_as


def propose(page, account, screenshot) -> None:
    page.goto(f"/staff/accounts/{account.public_id}/adjust/")
    page.get_by_label("Credits", exact=True).fill("200")
    page.get_by_label("Note for the customer").fill(NOTE)
    screenshot(page, "adjusting-1-what")
    page.get_by_role("button", name="See what that does").click()
    page.get_by_label("Comment").fill("Two exports failed, see the ticket")
    page.get_by_label("Tell the customer by e-mail").check()
    screenshot(page, "adjusting-2-preview")
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("main")).to_contain_text("somebody else has to approve it")
    screenshot(page, "adjusting-3-proposed")


def approve(page, screenshot) -> None:
    page.goto("/staff/")
    page.get_by_role("link", name="Adjustments").first.click()
    expect(page.locator("main")).to_contain_text("1 adjustment waits for approval.")
    page.get_by_role("link", name="Add credits").click()
    screenshot(page, "adjusting-4-approve")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text(re.compile("Made"))
    screenshot(page, "adjusting-5-made")


class TestAdjusting:
    def test_200_credits_are_approved_by_another_and_the_customer_sees_the_note(
        self, northwind, staff, open_as, screenshot
    ):
        propose(open_as(people.THEO), northwind, screenshot)

        approve(open_as(people.AMARA), screenshot)

        nora = open_as(people.NORA)
        nora.goto("/statement/")
        expect(nora.locator("main")).to_contain_text("+200")
        nora.locator("main summary", has_text="Adjustment").click()
        expect(nora.get_by_text(NOTE)).to_be_visible()
        screenshot(nora, "adjusting-6-statement")
        assert Notice.objects.filter(kind="adjustment_made").exists()
        assert audits.verify() == []
