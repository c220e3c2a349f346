"""The reference of the API: its address is one of those that programs ask."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.tours.stops import Stop


def see_operations(page):
    expect(page.get_by_text("/api/v1/debits", exact=True)).to_be_visible()


def open_operation(page):
    page.get_by_text("/api/v1/debits", exact=True).click()
    expect(page.get_by_text("Idempotency-Key *")).to_be_visible()


API_REFERENCE = (
    Stop("api:openapi-view", then=see_operations),
    Stop("api:openapi-view", then=open_operation),
)
