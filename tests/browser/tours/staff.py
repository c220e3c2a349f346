"""Pages of the staff's desks."""

from __future__ import annotations

from itertools import count

from playwright.sync_api import expect

from tests.browser.tours.stops import MAIN_FORM, Stop, open_navigation, send, sent

_endpoints = count(1)


def add_endpoint(page):
    page.get_by_label("Address").fill(f"https://backend{next(_endpoints)}.example/")
    page.get_by_label("plan.changed").check()
    send("form[action$='/add/']", page)


def travel_a_month(page):
    page.get_by_role("button", name="+ 1 month").click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()


def open_event(page):
    page.get_by_text("subscription.updated").click()


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
    Stop("billing:staff_work", "undelivered"),
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
STAFF = (
    Stop("billing:time"),
    Stop("billing:time", then=sent("form.time-date"), leads_to="billing:travel"),
    Stop("billing:time", then=travel_a_month),
)
