"""Pages of finance, exports and the catalogue."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.tours.stops import MAIN_FORM, Stop, send, sent


def go_on_to_publish(page):
    page.get_by_role("link", name="Go on to publish").click()
    expect(page.get_by_role("button", name="Publish")).to_be_visible()


def publish_without_a_word(page):
    go_on_to_publish(page)
    send("form[action$='/publish/now/']", page)


EXPORTS = (
    Stop("billing:exports"),
    Stop("billing:exports", query="?kind=JOURNAL&format=XLSX"),
    Stop(
        "billing:exports",
        then=sent("form[action$='/ask/']", last="2020-01-01"),
        leads_to="billing:ask_export",
    ),
    Stop(
        "billing:exports", then=sent("form[action$='/ask/']"), leads_to="billing:export"
    ),
    Stop("billing:export", "waiting"),
    Stop("billing:export", "counting"),
    Stop("billing:export", "running"),
    Stop("billing:export", "ready"),
    Stop("billing:export", "failed"),
    Stop("billing:export", "canceled"),
    Stop("billing:export", "deleted"),
)
DRAFTED, CONFIRMED_RATES = "billing:staff_rate_draft", "billing:staff_confirm_rates"
CATALOGUE = (
    Stop("billing:staff_catalogue"),
    Stop("billing:staff_rate_card", "card"),
    Stop(DRAFTED, "rates"),
    Stop(DRAFTED, "published rates"),
    Stop(
        DRAFTED,
        "rates",
        then=sent("form[action$='/start/']", starts_at="2020-01-01T00:00"),
        leads_to="billing:staff_start_rates",
    ),
    Stop("billing:staff_add_rate", "rates"),
    Stop("billing:staff_add_rate", "rates", then=sent(MAIN_FORM, per="0")),
    Stop("billing:staff_draft_rate", "rate"),
    Stop("billing:staff_rate_impact", "rates"),
    Stop("billing:staff_rate_impact", "unused rates"),
    Stop(
        "billing:staff_rate_impact",
        "rates",
        then=go_on_to_publish,
        leads_to=CONFIRMED_RATES,
    ),
    Stop(
        "billing:staff_rate_impact",
        "rates",
        then=publish_without_a_word,
        leads_to="billing:staff_publish_rates",
    ),
    Stop("billing:staff_offer_draft", "plan"),
    Stop("billing:staff_offer_draft", "blocks"),
    Stop("billing:staff_offer_draft", "published plan"),
    Stop(
        "billing:staff_offer_draft",
        "plan",
        then=sent("form[action$='/terms/']", month_cents="0"),
        leads_to="billing:staff_offer_terms",
    ),
    Stop(
        "billing:staff_offer_draft",
        "plan",
        then=sent("form[action$='/publish/']"),
        leads_to="billing:staff_publish_offer",
    ),
)
FINANCE = (
    Stop("billing:finance"),
    Stop("billing:finance", query="?by=plan"),
    Stop("billing:finance", query="?by=source"),
    Stop("billing:finance", query="?month=2000-01"),
    Stop("billing:finance_rows", query="?drill=ledger/USED"),
    Stop("billing:finance_rows", query="?drill=ledger/DISPUTED"),
    Stop("billing:preview_closing", "closed"),
    Stop("billing:preview_closing", "open"),
    Stop("billing:preview_closing", "running"),
    Stop(
        "billing:preview_closing",
        "open",
        then=sent(MAIN_FORM),
        leads_to="billing:close_month",
    ),
)
