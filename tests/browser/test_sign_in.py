"""The way in."""

from __future__ import annotations

from playwright.sync_api import expect

from config.demo import people
from tests.browser.conftest import sign_in_by_form


class TestSignIn:
    def test_leads_to_the_balance(self, stack, page, screenshot, check_axe):
        stack.load()

        sign_in_by_form(page, people.NORA)

        expect(page.locator("main")).to_contain_text("1,500")
        screenshot(page, "overview")
        check_axe(page)
