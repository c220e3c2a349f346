"""Staff look something up with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from accounts.roles import StaffGroup
from config.demo import accounts, people


@pytest.fixture
def amara(stack):
    stack.load()
    person = accounts.make_person(people.AMARA, is_staff=True)
    person.groups.set(Group.objects.filter(name=StaffGroup.ADMIN))
    return people.AMARA


class TestSearch:
    @pytest.mark.parametrize("keys", ["/", "Control+k", "Meta+k"])
    def test_is_a_key_away(self, page, sign_in, amara, keys):
        sign_in(page, amara)
        page.goto("/staff/queue/")

        page.keyboard.press(keys)
        page.keyboard.type("northwind")
        page.keyboard.press("Enter")

        expect(page).to_have_url(re.compile(r"/staff/accounts/\?q=northwind$"))
        expect(page.get_by_role("link", name="Northwind Studio")).to_be_visible()

    def test_takes_a_slash_as_it_is(self, page, sign_in, amara):
        sign_in(page, amara)
        page.goto("/staff/")

        page.keyboard.press("/")
        page.keyboard.type("a/b")

        expect(page.locator("[data-find]")).to_have_value("a/b")

    def test_works_without_scripts(self, new_context, sign_in, amara):
        page = new_context(java_script_enabled=False).new_page()
        sign_in(page, amara)
        page.goto("/staff/")

        page.get_by_label("Find an account").fill("northwind")
        page.get_by_role("button", name="Find").click()

        expect(page.get_by_role("link", name="Northwind Studio")).to_be_visible()
