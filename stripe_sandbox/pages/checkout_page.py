"""The hosted checkout at `/c/pay/<session>`."""

from __future__ import annotations

from stripe_sandbox import checkout
from stripe_sandbox.buyers import Buyer
from stripe_sandbox.checkout import SessionClosed
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.card_form import (
    TEST_CARDS,
    card_problems,
    email_problem,
    expiry_of,
)
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources import line_items
from stripe_sandbox.resources.accounts import BUSINESS_NAME
from stripe_sandbox.resources.fields import CARD_MINIMUM_CENTS, dollars

_QUANTITY = "quantity-"


class CheckoutPage:
    """Shows a session, takes the payment, and asks for 3DS when the card wants it."""

    def handle(
        self, context: Context, request: Request, session_id: str, below: str | None
    ) -> Response:
        """Answer a request below `/c/pay/<session>`."""
        try:
            session = checkout.open_session(context, session_id)
        except SessionClosed:
            return _closed(context.fetch("checkout.session", session_id))
        if below == "/authenticate":
            return self._challenge(context, request, session)
        if request.method == "POST":
            return self._submit(context, session, request.form())
        if checkout.waits_for_challenge(context, session):
            return redirect(f"/c/pay/{session_id}/authenticate")
        return _form(context, session, {})

    def _submit(self, context: Context, session: Json, form: Json) -> Response:
        session = checkout.change_quantities(context, session, _quantities(form))
        form = form | _known(session)
        if form.get("action") == "update":
            return _form(context, session, form)
        if form.get("action") == "promote" and session["allow_promotion_codes"]:
            return _promoted(context, session, form)
        problems = _problems(form, now=context.now, total=_charged(session))
        if problems:
            return _form(context, session, form, status=422, problems=problems)
        try:
            session = checkout.pay(context, session, _buyer(form))
        except ApiError as declined:
            if not declined.keeps_changes:
                raise
            return _declined(context, session["id"], form, declined)
        return _onward(session)

    def _challenge(self, context: Context, request: Request, session: Json) -> Response:
        if not checkout.waits_for_challenge(context, session):
            return redirect(f"/c/pay/{session['id']}")
        if request.method != "POST":
            return _challenge_page(session)
        passed = request.form().get("answer") == "approve"
        try:
            return _onward(checkout.answer_challenge(context, session, passed=passed))
        except ApiError as declined:
            return _declined(context, session["id"], {}, declined)


def _promoted(context: Context, session: Json, form: Json) -> Response:
    typed = str(form.get("promotion_code", "")).strip()
    try:
        session = checkout.enter_code(context, session, typed)
    except ApiError as refused:
        problems = {"promotion_code": str(refused)}
        return _form(context, session, form, status=422, problems=problems)
    return _form(context, session, form)


def _onward(session: Json) -> Response:
    if session["status"] == "complete":
        return redirect(checkout.success_url(session))
    return redirect(f"/c/pay/{session['id']}/authenticate")


def _declined(
    context: Context, session_id: str, form: Json, error: ApiError
) -> Response:
    session = context.fetch("checkout.session", session_id)
    problems = {"card_number": str(error)}
    return _form(context, session, form, status=402, problems=problems)


def _form(
    context: Context,
    session: Json,
    form: Json,
    *,
    status: int = 200,
    problems: dict[str, str] | None = None,
) -> Response:
    known = _known(session)
    data = context.store.notes(session["id"])["payment_intent_data"]
    return page(
        "setup.html" if session["mode"] == "setup" else "checkout.html",
        status=status,
        leads_to=session["success_url"],
        business=BUSINESS_NAME,
        form=form | known,
        items=line_items.of(context, session["id"]),
        email_is_known=bool(known),
        problems=problems or {},
        saves_card="setup_future_usage" in data or session["mode"] == "subscription",
        session=session,
        test_cards=TEST_CARDS,
    )


def _known(session: Json) -> Json:
    """The e-mail that the merchant gave: the buyer cannot change it."""
    email = (session["customer_details"] or {}).get("email")
    return {"email": email} if email else {}


def _challenge_page(session: Json) -> Response:
    return page(
        "challenge.html",
        leads_to=session["success_url"],
        amount=session["amount_total"],
        business=BUSINESS_NAME,
    )


def _closed(session: Json) -> Response:
    return page(
        "closed.html",
        status=200 if session["status"] == "complete" else 410,
        business=BUSINESS_NAME,
        session=session,
        success_url=checkout.success_url(session),
    )


def _quantities(form: Json) -> dict[str, int]:
    """Item ids to quantities; what is no number leaves the quantity as it is."""
    typed = {
        name.removeprefix(_QUANTITY): str(value).strip()
        for name, value in form.items()
        if name.startswith(_QUANTITY)
    }
    return {
        item: int(v[:6]) for item, v in typed.items() if v.isascii() and v.isdigit()
    }


def _charged(session: Json) -> int | None:
    """What the card is charged for once; a subscription may cost nothing at first."""
    total: int | None = session["amount_total"]
    return None if session["mode"] == "subscription" else total


def _problems(form: Json, *, now: int, total: int | None) -> dict[str, str]:
    problems = email_problem(form) | card_problems(form, now=now)
    if total is not None and total < CARD_MINIMUM_CENTS:
        least = dollars(CARD_MINIMUM_CENTS)
        problems["quantity"] = f"The total must be at least {least}."
    return problems


def _buyer(form: Json) -> Buyer:
    return Buyer(
        email=str(form["email"]).strip(),
        name=str(form["name"]).strip(),
        card_number=str(form["card_number"]),
        expiry=expiry_of(form),
    )
