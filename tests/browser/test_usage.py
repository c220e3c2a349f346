"""The usage chart: drawn with script, and not missed without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts.templatetags.units import short_date
from config.clock import now
from config.demo import accounts, people
from credits.models import Wallet
from tests.credits.usage_jobs import absorb, give_back, hold, line, use

PICTURE = "document.querySelector('canvas').toDataURL()"
WIDTH = "one => one.offsetWidth"
WIDTH_OF_TEXT = "one => { one.style.minWidth = 'max-content'; return one.offsetWidth; }"
CHART = "Chart.getChart(document.querySelector('canvas'))"


@pytest.fixture(autouse=True)
def wallet(stack):
    """A wallet with work of today, some of it given back."""
    wallet = Wallet.objects.get(account=stack.load(accounts.HARBOR))
    use(wallet, line("avatar-iv", 40, 120_000), line("image", 12, 6), at=now())
    give_back(use(wallet, line("look", 15), at=now()), at=now())
    return wallet


def since(*, days) -> str:
    """A range as the address has it."""
    return f"from={now() - timedelta(days):%Y-%m-%d}&to={now():%Y-%m-%d}"


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
        page.goto(f"/usage/?{since(days=120)}")
        page.get_by_text("Numbers by week").click()
        this_week = page.locator(".usage-days tbody th").first

        point_at_the_last_bar(page)

        page.wait_for_function(f"{CHART}.tooltip.title.length > 0")
        assert page.evaluate(f"{CHART}.tooltip.title") == [this_week.text_content()]
        first = short_date(now() - timedelta(days=120))
        assert page.evaluate(f"{CHART}.scales.x.ticks[0].label") == first

    def test_has_room_for_what_is_chosen_on_a_phone(self, page, sign_in, screenshot):
        page.set_viewport_size({"width": 360, "height": 740})
        sign_in(page, people.HUGO)

        page.goto("/usage/")

        member = page.get_by_role("combobox", name="Member")
        assert member.evaluate(WIDTH) >= member.evaluate(WIDTH_OF_TEXT)
        screenshot(page, "usage on a phone")

    def test_shows_the_total_beside_eight_columns(
        self, page, sign_in, wallet, screenshot
    ):
        names = ("translation", "translation-precision", "expressive-motion")
        use(wallet, *(line(name, 9, 60_000) for name in names), at=now())
        absorb(hold(wallet, 1, at=now()), line("video-podcast", 2), at=now())
        sign_in(page, people.HUGO)

        page.goto(f"/usage/?{since(days=365)}")
        page.get_by_text("Numbers by week").click()

        assert page.locator(".usage-days thead th").count() == 10
        numbers = page.get_by_role("region", name="Numbers by week")
        assert numbers.evaluate("one => one.scrollWidth <= one.clientWidth")
        screenshot(page, "usage in eight columns")

    def test_is_not_missed_without_script(self, new_context, sign_in):
        page = new_context(java_script_enabled=False).new_page()
        sign_in(page, people.HUGO)

        page.goto("/usage/")
        page.get_by_role("combobox", name="Feature").select_option("image")
        page.get_by_role("button", name="Show").click()

        expect(page).to_have_url("/usage/?range=30&feature=image&member=&from=&to=")
        expect(page.locator("[data-usage-chart]")).to_be_hidden()
        expect(page.get_by_role("row", name="Image").first).to_be_visible()
