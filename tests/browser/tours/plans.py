"""Pages of plans, auto-reload, doubts and debts."""

from __future__ import annotations

from tests.browser.tours.stops import MAIN_FORM, Stop, sent

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
DOUBTED = (
    Stop("billing:plan"),
    Stop("billing:overview"),
    Stop("billing:purchase", "purchase"),
)
OWING = (
    Stop("billing:overview"),
    Stop("billing:debt"),
    Stop("billing:purchases"),
    Stop("billing:purchase", "purchase"),
)
