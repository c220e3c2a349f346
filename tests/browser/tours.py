"""Which pages there are, for whom, and in which states they can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from playwright.sync_api import expect

from billing.models import PurchaseState
from config.demo import people

_endpoints = count(1)


@dataclass(frozen=True)
class Stop:
    """A page to look at: its URL's name, what goes into it, and how it answers.

    `then` is done there before looking; it may lead to a page of another name.
    """

    name: str
    args: str = ""
    query: str = ""
    status: int = 200
    then: Callable | None = None
    leads_to: str = ""

    def __str__(self) -> str:
        then = getattr(self.then, "__name__", "sent") if self.then else ""
        return " ".join(filter(None, (self.name, self.args, self.query, then)))

    @property
    def shows(self) -> str:
        return self.leads_to or self.name


def send(form, page, **typed):
    """Send a form as it is, apart from what is typed, past the browser's own checks."""
    for name, value in typed.items():
        page.locator(f"{form} [name={name}]").fill(value)
    with page.expect_navigation():
        page.locator(form).first.evaluate(
            "form => { form.noValidate = true; form.requestSubmit() }"
        )


def sent(form, **typed):
    return partial(send, form, **typed)


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


def add_endpoint(page):
    page.get_by_label("Address").fill(f"https://backend{next(_endpoints)}.example/")
    page.get_by_label("plan.changed").check()
    send("form[action$='/add/']", page)


def create_key(page):
    page.get_by_label("Name").fill("Studio")
    page.get_by_label("Spend credits").check()
    send(MAIN_FORM, page)
    expect(page.get_by_text("prsr_").first).to_be_visible()


def enter_password(page):
    page.context.clear_cookies(name="session")
    page.goto("/accounts/login/")
    send(SIGN_IN, page, login=people.BEA.email, password=people.PASSWORD)


def open_navigation(page):
    page.evaluate("document.getElementById('site-nav').showPopover()")


def open_numbers(page):
    page.get_by_text("Numbers by day").click()


def choose_zone(page):
    page.get_by_label("Time zone of the organization").select_option("Asia/Tokyo")
    expect(page.get_by_text("In Asia/Tokyo it is")).to_be_visible()


def see_operations(page):
    expect(page.get_by_text("/api/v1/debits", exact=True)).to_be_visible()


def open_operation(page):
    page.get_by_text("/api/v1/debits", exact=True).click()
    expect(page.get_by_text("Idempotency-Key *")).to_be_visible()


def travel_a_month(page):
    page.get_by_role("button", name="+ 1 month").click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()


def open_event(page):
    page.get_by_text("subscription.updated").click()


SIGN_IN = "form:has([type=password])"
INVITE = "form[action$='/invite/']"
MAIN_FORM = "main form[method=post]"
ALERTS, SAVE_ALERTS = "form[action$='/alerts/save/']", "credits:save_alerts"

VISITOR = (
    Stop("account_login"),
    Stop("account_login", then=sent(SIGN_IN, login="nobody@example.com")),
    Stop("account_signup"),
    Stop("account_signup", then=sent(SIGN_IN, email="x", password1="short")),
    Stop("account_inactive"),
    Stop("account_email_verification_sent"),
    Stop("account_confirm_email", "confirmation"),
    Stop("account_confirm_email", "old confirmation"),
    Stop("account_reset_password"),
    Stop("account_reset_password_done"),
    Stop("account_reset_password_from_key", "reset"),
    Stop("account_reset_password_from_key", "old reset"),
    Stop("account_reset_password_from_key_done"),
    Stop("credits:unsubscribe", "unsubscribe"),
    Stop("credits:unsubscribe", "unsubscribed"),
    Stop("accounts:invitation", "invitation"),
    Stop("accounts:invitation", "revoked invitation", status=410),
)
MIDWAY = (Stop("account_signup", then=enter_password, leads_to="mfa_authenticate"),)
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
GUARDED = (
    Stop("mfa_index"),
    Stop("mfa_deactivate_totp"),
    Stop("mfa_reauthenticate"),
    Stop("mfa_reauthenticate_webauthn"),
    Stop("mfa_view_recovery_codes"),
    Stop("mfa_generate_recovery_codes"),
    Stop("mfa_list_webauthn"),
    Stop("mfa_add_webauthn"),
    Stop("mfa_edit_webauthn", "security key"),
    Stop("mfa_remove_webauthn", "security key"),
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
PREVIEW, CONFIRM = "billing:preview_change", "billing:confirm_change"
CHANGER = (
    Stop("billing:overview"),
    Stop("billing:plan"),
    Stop("billing:plan", query="?interval=year"),
    Stop("billing:plan_moves"),
    Stop("billing:invoices"),
    Stop("billing:change", "change"),
    Stop("billing:cards"),
    Stop("billing:remove_card", "card"),
    Stop(PREVIEW, query="?plan=pro-1000&interval=month"),
    Stop(PREVIEW, query="?plan=creator&interval=year"),
    Stop(PREVIEW, query="?plan=creator&interval=month", status=409),
    Stop(PREVIEW, query="?plan=free"),
    Stop(PREVIEW, query="?plan=business", then=sent(MAIN_FORM), leads_to=CONFIRM),
)
PREMIUM = "?unit=PREMIUM"
LEGACY = (
    Stop("billing:overview"),
    Stop("billing:plan"),
    Stop(PREVIEW, query="?plan=creator"),
    Stop(PREVIEW, query="?plan=creator&now"),
    Stop(PREVIEW, query="?plan=legacy-unlimited", status=409),
    Stop(
        PREVIEW,
        query="?plan=free",
        then=sent(MAIN_FORM, typed="Creator"),
        leads_to=CONFIRM,
    ),
    Stop("credits:statement", query=PREMIUM),
    Stop("credits:usage", query=PREMIUM),
    Stop("credits:rates", query=PREMIUM),
    Stop("billing:change", "change"),
)
REVIEW = "billing:review_reload"
RELOAD_OFF = (
    Stop("billing:reload"),
    Stop("billing:reload", then=sent("main form[method=get]"), leads_to=REVIEW),
    Stop(REVIEW, query="?threshold=0", status=422),
)
RELOAD_ON = (
    Stop("billing:reload"),
    Stop("billing:overview"),
    Stop("billing:purchases"),
    Stop(
        "billing:reload",
        then=sent("main form[method=get]", threshold="5000"),
        leads_to=REVIEW,
    ),
)
RELOAD_TO_CONFIRM = (
    Stop("billing:reload"),
    Stop("billing:overview"),
    Stop("billing:confirm_reload", "reload"),
)
PLAN_IN_MOTION = (
    Stop("billing:plan"),
    Stop("billing:change", "change"),
    Stop("billing:invoices"),
)
NEWCOMER = (
    Stop("accounts:new_account"),
    Stop("accounts:new_account", then=sent("form:has([name=name])")),
    Stop("mfa_index"),
)
INBOX = (
    Stop("accounts:staff_home"),
    Stop("accounts:staff_home", then=open_navigation),
    Stop("billing:staff_inbox"),
    Stop("billing:staff_inbox", query="?state=DONE"),
    Stop("billing:staff_inbox", query="?state=FAILING&kind=subscription"),
    Stop("billing:staff_inbox_subject", "subject"),
    Stop("billing:staff_inbox_subject", "subject", then=open_event),
    Stop(
        "billing:staff_inbox_subject",
        "subject",
        then=sent("form[action$='/ignore/']", reason="no"),
        leads_to="billing:staff_inbox_ignore",
    ),
    Stop("billing:staff_webhooks", status=403),
)
DOUBTED = (
    Stop("billing:plan"),
    Stop("billing:overview"),
    Stop("billing:purchase", "purchase"),
)
DISPUTES = (
    Stop("billing:staff_disputes"),
    Stop("billing:staff_dispute", "dispute"),
    Stop("billing:staff_dispute", "inquiry"),
    Stop(
        "billing:staff_dispute",
        "dispute",
        then=sent("form[action$='/answer/']"),
        leads_to="billing:staff_dispute_answer",
    ),
    Stop(
        "billing:staff_dispute",
        "dispute",
        then=sent("form[action$='/accept/']"),
        leads_to="billing:staff_dispute_accept",
    ),
    Stop("billing:staff_warning", "warning"),
    Stop(
        "billing:staff_warning",
        "warning",
        then=sent("form[action$='/keep/']"),
        leads_to="billing:staff_warning_keep",
    ),
)
OWING = (
    Stop("billing:overview"),
    Stop("billing:debt"),
    Stop("billing:purchases"),
    Stop("billing:purchase", "purchase"),
)
REFUNDS = (
    Stop("billing:staff_accounts"),
    Stop("billing:staff_accounts", query="?q=nobody@example.com"),
    Stop("billing:staff_account", "account"),
    Stop("billing:staff_preview_cancel", "account"),
    Stop(
        "billing:staff_preview_cancel",
        "account",
        then=sent(MAIN_FORM),
        leads_to="billing:staff_cancel",
    ),
    Stop("billing:staff_refunds"),
    Stop("billing:staff_payment", "payment"),
    Stop("billing:staff_payment", "refunded"),
    Stop("billing:staff_preview_refund", "payment", query="?extent=all"),
    Stop("billing:staff_preview_refund", "payment", query="?extent=amount", status=422),
    Stop(
        "billing:staff_preview_refund",
        "payment",
        query="?extent=unspent",
        then=sent(MAIN_FORM),
        leads_to="billing:staff_refund",
    ),
)
RECONCILIATION = (
    Stop("billing:staff_reconciliation"),
    Stop("billing:staff_reconciliation", query="?state=GONE"),
    Stop("billing:staff_break", "repairable"),
    Stop("billing:staff_break", "other"),
    Stop(
        "billing:staff_break",
        "other",
        then=sent("form[action$='/ignore/']"),
        leads_to="billing:staff_break_ignore",
    ),
)
WEBHOOKS = (
    Stop("billing:staff_webhooks"),
    Stop(
        "billing:staff_webhooks",
        then=sent("form[action$='/add/']", url="http://a.example/"),
        leads_to="billing:staff_webhook_add",
    ),
    Stop("billing:staff_webhook", "endpoint"),
    Stop("billing:staff_webhook", "silent"),
    Stop(
        "billing:staff_webhook",
        "endpoint",
        then=sent("form[action$='/disable/']"),
        leads_to="billing:staff_webhook_disable",
    ),
    Stop(
        "billing:staff_webhooks",
        then=add_endpoint,
        leads_to="billing:staff_webhook_add",
    ),
)
STAFF = (
    Stop("billing:time"),
    Stop("billing:time", then=sent("form.time-date"), leads_to="billing:travel"),
    Stop("billing:time", then=travel_a_month),
)

TOURS = (
    *(VISITOR, MIDWAY, BUYER, OWNER, GUARDED),
    *(
        CHANGER,
        LEGACY,
        PLAN_IN_MOTION,
        RELOAD_OFF,
        RELOAD_ON,
        RELOAD_TO_CONFIRM,
        MEMBER,
        OLD_HAND,
        WITHOUT_BLOCKS,
        NEWCOMER,
        INBOX,
        DOUBTED,
        DISPUTES,
        OWING,
        REFUNDS,
        RECONCILIATION,
        WEBHOOKS,
        STAFF,
    ),
)

# Beside the tours: its address is one of those that programs ask.
API_REFERENCE = (
    Stop("api:openapi-view", then=see_operations),
    Stop("api:openapi-view", then=open_operation),
)

# Django's own pages; what programs ask.
NOT_OURS = {"admin", "api"}
_TAKE_FORMS = {
    "billing:save_reload",
    "billing:stop_reload",
    "billing:pay_debt",
    "billing:add_card",
    "billing:default_card",
    "billing:staff_break_note",
    "billing:staff_break_repair",
    "billing:staff_inbox_replay",
    "billing:staff_reconcile",
    "billing:staff_webhook_enable",
    "billing:staff_webhook_remove",
    "billing:staff_webhook_replay",
    "billing:staff_webhook_roll",  # as after adding one
    "accounts:change_role",
    "accounts:join",
    "accounts:revoke_invitation",
    "accounts:save_account",
    "accounts:save_profile",
    "accounts:switch",
    "accounts:theme",
    "billing:drop_change",
    "billing:payment_details",
    "billing:undo_change",
    "credits:test_alert",
}
_ARE_PARTS_OF_PAGES = {
    "accounts:zone_today",
    "billing:change_status",
    "billing:purchase_status",
}
_ANSWER_PROGRAMS = {
    "billing:staff_dispute_evidence",  # a text file
    "billing:stripe_webhook",
    "credits:usage_csv",
    "mfa_download_recovery_codes",  # a text file
}
_LEAD_AWAY = {
    "billing:invoice_page",  # to Stripe's pages
    "billing:invoice_pdf",
}
_ARE_NOT_IN_USE = {
    "account_confirm_login_code",  # sign-in by a code is off
    "account_set_password",  # nobody is without one
}
NOT_SEEN = {
    *_TAKE_FORMS,
    *_ARE_PARTS_OF_PAGES,
    *_ANSWER_PROGRAMS,
    *_LEAD_AWAY,
    *_ARE_NOT_IN_USE,
}
