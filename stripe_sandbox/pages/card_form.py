"""The card fields that several pages have, and what may be wrong with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox.engine.store import Json

_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*\Z")
FIELDS = ("card_number", "expiry", "cvc", "name")


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


def card_problems(form: Json, *, now: int) -> dict[str, str]:
    """What is wrong with the card, in the sentences of the real page."""
    problems = missing(form, *FIELDS)
    if "expiry" not in problems:
        problems |= _expiry_problem(str(form["expiry"]), now)
    if "cvc" not in problems and not re.fullmatch(r"\d{3,4}", str(form["cvc"]).strip()):
        problems["cvc"] = "Your card's security code is incomplete."
    return problems


def missing(form: Json, *names: str) -> dict[str, str]:
    """Return the fields that were left empty."""
    return {name: "Required" for name in names if not str(form.get(name, "")).strip()}


def email_problem(form: Json) -> dict[str, str]:
    """What is wrong with the e-mail address."""
    problem = missing(form, "email")
    if not problem and "@" not in str(form["email"]):
        problem["email"] = "Your email is invalid."
    return problem


def expiry_of(form: Json) -> tuple[int, int]:
    """Return month and year of a form without problems."""
    match = _EXPIRY.match(str(form["expiry"]))
    assert match is not None  # noqa: S101 - checked by card_problems
    year = int(match[2])
    return int(match[1]), year if year > 99 else 2000 + year


def _expiry_problem(typed: str, now: int) -> dict[str, str]:
    match = _EXPIRY.match(typed)
    if not match or not 1 <= int(match[1]) <= 12:
        return {"expiry": "Your card's expiration date is incomplete."}
    today = datetime.fromtimestamp(now, UTC)
    month, year = expiry_of({"expiry": typed})
    if (year, month) < (today.year, today.month):
        return {"expiry": "Your card's expiration year is in the past."}
    return {}
