"""Which pages there are, for whom, and in which states they can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count

from playwright.sync_api import expect

from billing.models import PurchaseState
from config.clock import now
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


def go_on_to_publish(page):
    page.get_by_role("link", name="Go on to publish").click()
    expect(page.get_by_role("button", name="Publish")).to_be_visible()


def publish_without_a_word(page):
    go_on_to_publish(page)
    send("form[action$='/publish/now/']", page)


def find_looks(page):
    page.get_by_label("Look", exact=True).check()
    page.get_by_label("From (UTC)").fill(f"{now() - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.get_by_label("Until (UTC)").fill(
        f"{now() + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    )
    page.get_by_role("button", name="Find what it cost").click()
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()


def propose_without_a_word(page):
    find_looks(page)
    send("form[action$='/make-good/propose/']", page)


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
    Stop("billing:staff_jobs"),
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
CONSOLE = (
    Stop("accounts:staff_home"),
    Stop("billing:staff_accounts"),
    Stop("billing:staff_accounts", query="?q=north"),
    Stop("billing:staff_accounts", query="?q=render-20931"),
    Stop("billing:staff_accounts", query="?q=nobody@example.com"),
    Stop("billing:staff_account", "account"),
    Stop("billing:staff_as_of", "account"),
    Stop("billing:staff_as_of", "account", query="?figure=available"),
    Stop("billing:staff_as_of", "account", query="?at=2026-02-30&figure=debt"),
    Stop("billing:staff_timeline", "account"),
    Stop("billing:staff_timeline", "account", query="?family=ACTIONS"),
    Stop("billing:staff_timeline", "account", query="?job=render-20931"),
    Stop("billing:staff_timeline", "account", query="?job=none"),
)
QUEUE = (
    Stop("billing:staff_queue"),
    Stop("billing:staff_queue", query="?state=DONE"),
    Stop("billing:staff_queue", query="?state=IGNORED"),
    Stop("billing:staff_work", "unbilled"),
    Stop("billing:staff_work", "missing"),
    Stop("billing:staff_work", "closed"),
    Stop("billing:staff_work", "unknown"),
    Stop(
        "billing:staff_work",
        "missing",
        then=sent("form[action$='/close/']"),
        leads_to="billing:staff_work_close",
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
    Stop("billing:staff_jobs"),
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
BULK_FILE = "billing:staff_bulk_file"
BULK_FILES = (
    Stop("billing:staff_bulk_files"),
    Stop(
        "billing:staff_bulk_files",
        then=sent("form[action$='/check/']"),
        leads_to="billing:staff_check_bulk",
    ),
    Stop(BULK_FILE, "broken"),
    Stop(BULK_FILE, "checked"),
    Stop(BULK_FILE, "checked", query="?from=100"),
    Stop(
        BULK_FILE,
        "checked",
        then=sent("form[action$='/propose/']"),
        leads_to="billing:staff_propose_bulk",
    ),
    Stop(BULK_FILE, "waiting"),
    Stop(
        BULK_FILE,
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_bulk",
    ),
    Stop(BULK_FILE, "done"),
    Stop(
        BULK_FILE,
        "done",
        then=sent("form[action$='/undo/']"),
        leads_to="billing:staff_undo_bulk",
    ),
    Stop(BULK_FILE, "undone"),
    Stop(BULK_FILE, "undo"),
    Stop(BULK_FILE, "under way"),
    Stop(BULK_FILE, "rejected"),
)
MAKE_GOOD, MAKE_GOODS = "billing:staff_make_good", "billing:staff_make_goods"
MADE_GOOD = (
    Stop(MAKE_GOODS),
    Stop(MAKE_GOODS, query="?starts_at=x", status=422),
    Stop(MAKE_GOODS, then=find_looks),
    Stop(
        MAKE_GOODS,
        then=propose_without_a_word,
        leads_to="billing:staff_propose_make_good",
    ),
    Stop(MAKE_GOOD, "done"),
    Stop(MAKE_GOOD, "waiting"),
    Stop(
        MAKE_GOOD,
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_make_good",
    ),
    Stop(
        MAKE_GOOD,
        "done",
        then=sent("form[action$='/undo/']"),
        leads_to="billing:staff_undo_make_good",
    ),
    Stop(MAKE_GOOD, "undone"),
    Stop(MAKE_GOOD, "undo"),
)
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
_NEW = "?kind=ADD&credits=200&expires_on=2036-01-01&customer_note=Sorry"
ADJUSTMENTS = (
    Stop("billing:staff_adjustments"),
    Stop("billing:staff_adjustments", query="?state=WITHDRAWN&kind=ADD"),
    Stop("billing:staff_adjust", "account"),
    Stop("billing:staff_preview_adjust", "account", query=_NEW),
    Stop(
        "billing:staff_preview_adjust",
        "account",
        query="?kind=REMOVE&credits=99999999",
        status=422,
    ),
    Stop(
        "billing:staff_preview_adjust",
        "account",
        query=_NEW,
        then=sent("form[action$='/now/']", comment="Because"),
        leads_to="billing:staff_make_adjustment",
    ),
    Stop("billing:staff_adjustment", "waiting"),
    Stop("billing:staff_adjustment", "own"),
    Stop("billing:staff_adjustment", "made"),
    Stop("billing:staff_adjustment", "removed"),
    Stop("billing:staff_adjustment", "put back"),
    Stop("billing:staff_adjustment", "rejected"),
    Stop(
        "billing:staff_adjustment",
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_adjustment",
    ),
    Stop("billing:staff_preview_reversal", "made"),
    Stop(
        "billing:staff_preview_reversal",
        "made",
        then=sent("form[action$='/now/']", comment="Because"),
        leads_to="billing:staff_reverse_adjustment",
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
        CONSOLE,
        QUEUE,
        RECONCILIATION,
        WEBHOOKS,
        BULK_FILES,
        MADE_GOOD,
        EXPORTS,
        FINANCE,
        CATALOGUE,
        ADJUSTMENTS,
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
    "billing:cancel_export",
    "billing:save_reload",
    "billing:staff_approve_adjustment",
    "billing:staff_withdraw_adjustment",
    "billing:stop_reload",
    "billing:pay_debt",
    "billing:add_card",
    "billing:default_card",
    "billing:staff_approve_bulk",
    "billing:staff_approve_make_good",
    "billing:staff_break_note",
    "billing:staff_break_repair",
    "billing:staff_begin_blocks",
    "billing:staff_begin_plan",
    "billing:staff_begin_rates",
    "billing:staff_end_rate",
    "billing:staff_inbox_replay",
    "billing:staff_price_offer",
    "billing:staff_withdraw_bulk",
    "billing:staff_withdraw_make_good",
    "billing:staff_withdraw_offer",
    "billing:staff_withdraw_rates",
    "billing:staff_reconcile",
    "billing:staff_work_charge",
    "billing:staff_work_note",
    "billing:staff_work_take",
    "billing:staff_webhook_enable",
    "billing:staff_webhook_remove",
    "billing:staff_webhook_replay",
    "billing:staff_webhook_roll",  # as after adding one
    "billing:staff_webhook_test",
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
    "billing:export_status",
    "billing:purchase_status",
}
_ANSWER_PROGRAMS = {
    "billing:export_file",  # a table
    "billing:invoices_csv",
    "billing:staff_dispute_evidence",  # a text file
    "billing:staff_bulk_template",
    "billing:staff_rate_impact_csv",
    "billing:stripe_webhook",
    "credits:period_statement_csv",
    "credits:period_statement_xlsx",
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
