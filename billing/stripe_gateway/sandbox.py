"""The sandbox beyond Stripe's API: its clock, and the pages that buyers fill in.

Nothing here exists at Stripe: only the time machine, the demo and simulations call it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from billing.stripe_gateway.connection import (
    BillingError,
    PaymentDeclined,
    StripeUnavailable,
    client,
    translated_errors,
)
from billing.stripe_gateway.reading import id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Takes method, path and body; returns the status and the answer's body.
Door = Callable[[str, str, str], tuple[int, str]]

GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
# The first attaches as well, and fails whenever it is charged.
FAILING_METHOD, GOOD_METHOD = "pm_card_chargeCustomerFail", "pm_card_visa"

_CLOCK = "/_sandbox/clock"
_TYPED = {"action": "pay", "expiry": "12 / 34", "cvc": "123"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# It works off what is due before it answers: days of many plans may take a while.
_TIMEOUT_S = 120


class SandboxRefused(BillingError):
    """The sandbox did not do it; the message says what was asked and its status."""


@contextmanager
def behind(door: Door) -> Iterator[None]:
    """Go to a sandbox through another door until the block ends, in any thread."""
    global _door  # noqa: PLW0603 - one process speaks to one sandbox
    before, _door = _door, door
    try:
        yield
    finally:
        _door = before


def next_due_at() -> datetime | None:
    """Return when the sandbox next has something to do, if ever.

    Raises:
        StripeUnavailable: it does not answer.
    """
    due = json.loads(_ask("GET", _CLOCK))["next_due_at"]
    return datetime.fromtimestamp(due, UTC) if due else None


def move_clock(to: datetime) -> None:
    """Make it another time there; what is due by then is done when this returns.

    Raises:
        StripeUnavailable: it does not answer.
    """
    _ask("POST", _CLOCK, json.dumps({"now": int(to.timestamp())}))


def pay(page_url: str, *, email: str, name: str, card: str = GOOD_CARD) -> None:
    """Pay on a checkout or invoice page, as a buyer does.

    Raises:
        PaymentDeclined: the page says so; another card may be tried.
        SandboxRefused: it did not lead on for another reason.
        StripeUnavailable: it does not answer.
    """
    typed = _TYPED | {"email": email, "name": name, "card_number": card}
    _ask("POST", urlsplit(page_url).path, urlencode(typed))


def replace_card(subscription_id: str, *, by: str) -> None:
    """Let a plan be paid by another of Stripe's test cards, as "pm_card_visa".

    Raises:
        PaymentDeclined: the card does not attach.
        StripeUnavailable: it does not answer.
    """
    with translated_errors():
        stripe = client().v1
        customer = stripe.subscriptions.retrieve(subscription_id).customer
        method = stripe.payment_methods.attach(by, {"customer": id_of(customer)})
        stripe.subscriptions.update(
            subscription_id, {"default_payment_method": method.id}
        )


def _ask(method: str, path: str, body: str = "") -> str:
    status, answer = _door(method, path, body)
    if status == HTTPStatus.PAYMENT_REQUIRED:
        raise PaymentDeclined(
            "The card was declined.", code="card_declined", decline_code=""
        )
    # 303 leads the buyer back to the portal.
    if status not in (HTTPStatus.OK, HTTPStatus.SEE_OTHER):
        raise SandboxRefused(f"The sandbox answered {status} to {method} {path}.")
    return answer


def _over_http(method: str, path: str, body: str) -> tuple[int, str]:
    place = urlsplit(settings.STRIPE_API_BASE).netloc
    connection = HTTPConnection(place, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body, _FORM)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except OSError as silent:
        raise StripeUnavailable(str(silent)) from silent
    finally:
        connection.close()


_door: Door = _over_http
