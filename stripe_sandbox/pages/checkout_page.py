"""The hosted checkout at `/c/pay/<session>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox import checkout
from stripe_sandbox.checkout import Buyer, SessionClosed
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources import line_items
from stripe_sandbox.resources.accounts import BUSINESS_NAME
from stripe_sandbox.resources.fields import CARD_MINIMUM_CENTS, dollars

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*\Z")
_QUANTITY = "quantity-"


@dataclass(frozen=True, slots=True)
class TestCardButton:
    """A button of the page that fills in a card."""

    label: str
    number: str


TEST_CARDS = (
    TestCardButton("Succeeds", "4242 4242 4242 4242"),
    TestCardButton("Mastercard", "5555 5555 5555 4444"),
    TestCardButton("Declined", "4000 0000 0000 0002"),
    TestCardButton("No funds", "4000 0000 0000 9995"),
    TestCardButton("3D Secure", "4000 0000 0000 3220"),
)


class CheckoutPage:
    """Shows a session, takes the payment, and asks for 3DS when the card wants it."""

    def handle(
        self, context: Context, request: Request, session_id: str, rest: list[str]
    ) -> Response:
        """Answer a request below `/c/pay/<session>`."""
        try:
            session = checkout.open_session(context, session_id)
        except SessionClosed:
            return _closed(context.fetch("checkout.session", session_id))
        if rest == ["authenticate"]:
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
        problems = _problems(form, now=context.now, total=session["amount_total"])
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
        "checkout.html",
        status=status,
        leads_to=session["success_url"],
        business=BUSINESS_NAME,
        form=form | known,
        items=line_items.of(context, session["id"]),
        email_is_known=bool(known),
        problems=problems or {},
        saves_card="setup_future_usage" in data,
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
        business=BUSINESS_NAME,
        session=session,
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


def _problems(form: Json, *, now: int, total: int) -> dict[str, str]:
    """What is wrong with the form, in the sentences of the real page."""
    problems = {
        name: "Required"
        for name in ("email", "card_number", "expiry", "cvc", "name")
        if not str(form.get(name, "")).strip()
    }
    if "email" not in problems and "@" not in str(form["email"]):
        problems["email"] = "Your email is invalid."
    if "expiry" not in problems:
        problems |= _expiry_problem(str(form["expiry"]), now)
    if "cvc" not in problems and not re.fullmatch(r"\d{3,4}", str(form["cvc"]).strip()):
        problems["cvc"] = "Your card's security code is incomplete."
    if total < CARD_MINIMUM_CENTS:
        least = dollars(CARD_MINIMUM_CENTS)
        problems["quantity"] = f"The total must be at least {least}."
    return problems


def _expiry_problem(typed: str, now: int) -> dict[str, str]:
    match = _EXPIRY.match(typed)
    if not match or not 1 <= int(match[1]) <= 12:
        return {"expiry": "Your card's expiration date is incomplete."}
    today = datetime.fromtimestamp(now, UTC)
    month, year = _expiry(typed)
    if (year, month) < (today.year, today.month):
        return {"expiry": "Your card's expiration year is in the past."}
    return {}


def _expiry(typed: str) -> tuple[int, int]:
    match = _EXPIRY.match(typed)
    assert match is not None  # noqa: S101 - checked by _problems
    year = int(match[2])
    return int(match[1]), year if year > 99 else 2000 + year


def _buyer(form: Json) -> Buyer:
    return Buyer(
        email=str(form["email"]).strip(),
        name=str(form["name"]).strip(),
        card_number=str(form["card_number"]),
        expiry=_expiry(str(form["expiry"])),
    )
