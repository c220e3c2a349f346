"""The bank's 3-D Secure page at `/3ds/<intent>`, for intents confirmed by the API."""

from __future__ import annotations

from stripe_sandbox import authentication, charging, saving
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources.accounts import BUSINESS_NAME


def challenge_page(context: Context, request: Request, intent_id: str) -> Response:
    """Ask the customer, and go back to the `return_url` with the answer."""
    intent = _intent(context, intent_id)
    if intent["status"] != "requires_action":
        return _over(context, intent)
    if request.method == "POST":
        passed = request.form().get("answer") == "approve"
        return _over(context, _answer(context, intent, passed=passed))
    return page(
        "challenge.html",
        leads_to=authentication.way_back(context, intent, passed=False),
        amount=intent.get("amount"),
        business=BUSINESS_NAME,
    )


def _intent(context: Context, intent_id: str) -> Json:
    saves = intent_id.startswith("seti_")
    return context.fetch("setup_intent" if saves else "payment_intent", intent_id)


def _answer(context: Context, intent: Json, *, passed: bool) -> Json:
    saves = intent["object"] == "setup_intent"
    try:
        if not passed:
            fail = saving if saves else charging
            raise fail.fail_authentication(context, intent)
        if saves:
            return saving.attempt(context, intent, authenticated=True)
        return charging.attempt(context, intent, on_session=True, authenticated=True)
    except ApiError as declined:
        if not declined.keeps_changes:
            raise
        return _intent(context, intent["id"])


def _over(context: Context, intent: Json) -> Response:
    passed = intent["status"] == "succeeded"
    back = authentication.way_back(context, intent, passed=passed)
    if back:
        return redirect(back)
    answer = "Approved" if passed else "Not approved"
    return page("message.html", message=f"{answer}. You can close this page.")
