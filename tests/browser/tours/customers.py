"""Pages of an organization: credits, blocks, people, keys, alerts."""

from __future__ import annotations

from playwright.sync_api import expect

from billing.models import PurchaseState
from tests.browser.tours.stops import MAIN_FORM, Stop, open_navigation, send, sent


def lose_csrf_token(page):
    page.locator("form[action$='/buy/'] [name=csrfmiddlewaretoken]").evaluate(
        "field => field.remove()"
    )
    send("form[action$='/buy/']", page)


def see_old_price(page):
    page.locator("[name=offer]").evaluate("field => field.value = 99")
    send("form[action$='/buy/']", page)


def open_menu(index, page):
    page.locator("details[data-menu] > summary").nth(index).click()


def open_accounts(page):
    open_menu(0, page)


def open_own_menu(page):
    open_menu(1, page)


def create_key(page):
    page.get_by_label("Name").fill("Studio")
    page.get_by_label("Spend credits").check()
    send(MAIN_FORM, page)
    expect(page.get_by_text("prsr_").first).to_be_visible()


def open_numbers(page):
    page.get_by_text("Numbers by day").click()


def choose_zone(page):
    page.get_by_label("Time zone of the organization").select_option("Asia/Tokyo")
    expect(page.get_by_text("In Asia/Tokyo it is")).to_be_visible()


INVITE = "form[action$='/invite/']"
ALERTS, SAVE_ALERTS = "form[action$='/alerts/save/']", "credits:save_alerts"
BUYER = (
    Stop("billing:overview"),
    Stop("billing:overview", then=open_accounts),
    Stop("billing:overview", then=open_own_menu),
    Stop("billing:overview", then=open_navigation),
    Stop("billing:add_ons"),
    Stop("billing:add_ons", query="?blocks=4&canceled=pur_1"),
    Stop("billing:add_ons", query="?blocks=4000"),
    Stop("billing:add_ons", then=see_old_price, leads_to="billing:buy"),
    Stop("billing:add_ons", then=lose_csrf_token, leads_to="billing:buy"),
    Stop("billing:plan"),
    Stop("billing:cards"),
    Stop("billing:purchases"),
    *(Stop("billing:purchase", state) for state in PurchaseState.values),
    Stop("credits:statement"),
    Stop("credits:usage"),
)
OWNER = (
    Stop("accounts:team"),
    Stop("accounts:team", then=sent(INVITE, email="x"), leads_to="accounts:invite"),
    Stop("accounts:remove_member", "member"),
    Stop("accounts:invitation", "invitation"),
    Stop("credits:member_caps"),
    Stop("credits:set_each_cap"),
    Stop("credits:set_member_cap", "member"),
    Stop("credits:set_member_cap", "member", then=sent(MAIN_FORM, credits="-1")),
    Stop("accounts:keys"),
    Stop("accounts:create_key"),
    Stop("accounts:create_key", then=sent(MAIN_FORM)),
    Stop("accounts:create_key", then=create_key),
    Stop("accounts:revoke_key", "key"),
    Stop("accounts:revoke_key", "key", then=sent(MAIN_FORM)),
    Stop("accounts:settings"),
    Stop("accounts:settings", then=choose_zone),
    Stop("credits:alerts"),
    Stop("credits:alerts", then=sent(ALERTS, thresholds="x"), leads_to=SAVE_ALERTS),
    Stop("accounts:new_account"),
    Stop("account_email"),
    Stop("account_change_password"),
    Stop("account_reauthenticate"),
    Stop("account_logout"),
    Stop("usersessions_list"),
    Stop("mfa_index"),
    Stop("mfa_activate_totp"),
    Stop("mfa_list_webauthn"),
)
MEMBER = (
    Stop("billing:overview"),
    Stop("billing:add_ons"),
    Stop("billing:plan", status=403),
    Stop("accounts:team"),
    Stop("credits:member_caps"),
    Stop("credits:set_each_cap", status=403),
    Stop("accounts:settings"),
    Stop("credits:alerts"),
)
OLD_HAND = (
    Stop("credits:alerts"),
    Stop("billing:overview"),
    Stop("credits:statement"),
    Stop("credits:statement", query="?kind=EXPIRE"),
    Stop("credits:statement", query="?before=40"),
    Stop("credits:period_statement"),
    Stop("credits:period_statement", query="?range=last"),
    Stop("credits:period_statement", query="?from=2026-02-30&to=2026-02-31"),
    Stop("credits:usage"),
    Stop("credits:usage", then=open_numbers),
    Stop("credits:usage", query="?range=90&feature=avatar-iv"),
    Stop("credits:usage", query="?from=2026-02-30"),
    Stop("credits:member_caps"),
    Stop("credits:set_each_cap"),
    Stop("credits:rates"),
    Stop("credits:rates", query="?feature=avatar-iv&minutes=1&seconds=12"),
    Stop("credits:rates", query="?feature=avatar-iv&minutes=x"),
)
WITHOUT_BLOCKS = (
    Stop("billing:overview"),
    Stop("billing:add_ons"),
    Stop("billing:plan"),
    Stop("billing:purchases"),
    Stop("credits:statement"),
    Stop("accounts:keys"),
    Stop("accounts:team"),
)
