"""The usage chart: drawn with script, and not missed without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts.templatetags.units import short_date
from config.clock import now
from config.demo import accounts, people
from credits.models import Wallet
from tests.credits.usage_jobs import give_back, line, use

PICTURE = "document.querySelector('canvas').toDataURL()"
CHART = "Chart.getChart(document.querySelector('canvas'))"


@pytest.fixture(autouse=True)
def _usage(stack):
    """Work of today, some of it given back."""
    wallet = Wallet.objects.get(account=stack.load(accounts.HARBOR))
    use(wallet, line("avatar-iv", 40, 120_000), line("image", 12, 6), at=now())
    give_back(use(wallet, line("look", 15), at=now()), at=now())


def point_at_the_last_bar(page):
    canvas = page.locator("canvas")
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] - 30, "y": box["height"] / 2})


class TestUsageChart:
    def test_is_drawn_in_the_colors_of_the_theme(self, page, sign_in, screenshot):
        page.emulate_media(color_scheme="light")
        sign_in(page, people.HUGO)
        page.goto("/usage/?range=14")
        expect(page.locator("[data-usage-chart] canvas")).to_be_visible()
        light = page.evaluate(PICTURE)

        page.emulate_media(color_scheme="dark")

        page.wait_for_function(f"light => {PICTURE} !== light", arg=light)
        screenshot(page, "usage of today dark")

    def test_tells_the_numbers_of_a_day_under_the_pointer(
        self, page, sign_in, screenshot
    ):
        sign_in(page, people.HUGO)
        page.goto("/usage/?range=14")
        before = page.evaluate(PICTURE)

        point_at_the_last_bar(page)

        page.wait_for_function(f"before => {PICTURE} !== before", arg=before)
        screenshot(page, "usage with tooltip")

    def test_says_what_the_table_says_of_a_week(self, page, sign_in):
        sign_in(page, people.HUGO)
        first = now() - timedelta(days=120)
        page.goto(f"/usage/?from={first:%Y-%m-%d}&to={now():%Y-%m-%d}")
        page.get_by_text("Numbers by week").click()
        this_week = page.locator(".usage-days tbody th").first

        point_at_the_last_bar(page)

        page.wait_for_function(f"{CHART}.tooltip.title.length > 0")
        assert page.evaluate(f"{CHART}.tooltip.title") == [this_week.text_content()]
        assert page.evaluate(f"{CHART}.scales.x.ticks[0].label") == short_date(first)

    def test_is_not_missed_without_script(self, new_context, sign_in):
        page = new_context(java_script_enabled=False).new_page()
        sign_in(page, people.HUGO)

        page.goto("/usage/")
        page.get_by_role("combobox", name="Feature").select_option("image")
        page.get_by_role("button", name="Show").click()

        expect(page).to_have_url("/usage/?range=30&feature=image&member=&from=&to=")
        expect(page.locator("[data-usage-chart]")).to_be_hidden()
        expect(page.get_by_role("row", name="Image").first).to_be_visible()
