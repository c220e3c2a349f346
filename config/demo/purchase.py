"""A purchase of a few days ago, made in the Stripe sandbox as a customer would.

The sandbox's clock is set back for it, so that both sides tell the same story.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.conf import settings

from billing import catalogue, purchasing, settling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from accounts.models import Account, User

_AGO = timedelta(days=2)
_BLOCKS = 4
_CARD = {
    "action": "pay",
    "card_number": "4242424242424242",
    "expiry": "12 / 34",
    "cvc": "123",
}


class SandboxRefused(Exception):
    """The sandbox did not take the payment; its answer is the message."""


def buy_some_days_ago(account: Account, buyer: User, *, at: datetime) -> None:
    """Buy blocks for an account, pay them at the sandbox, and settle the purchase."""
    bought_at = at - _AGO
    with _sandbox_clock_at(-_AGO):
        purchase = purchasing.buy_blocks(
            account=account,
            buyer=buyer,
            offer=catalogue.blocks_in_force(at=bought_at),
            blocks=_BLOCKS,
            form_key=uuid4().hex,
            at=bought_at,
        )
        typed = _CARD | {"email": buyer.email, "name": buyer.name}
        _post(urlsplit(purchase.checkout_url).path, urlencode(typed))
        paid_at = bought_at + timedelta(minutes=1)
        settling.settle(session_id=purchase.stripe_session_id or "", at=paid_at)


@contextmanager
def _sandbox_clock_at(offset: timedelta) -> Iterator[None]:
    _post("/_sandbox/clock", json.dumps({"offset_s": int(offset.total_seconds())}))
    try:
        yield
    finally:
        _post("/_sandbox/clock", json.dumps({"offset_s": 0}))


def _post(path: str, body: str) -> None:
    place = urlsplit(settings.STRIPE_API_BASE)
    connection = HTTPConnection(place.netloc, timeout=settings.STRIPE_TIMEOUT_S)
    try:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, form)
        answer = connection.getresponse()
        # 303 leads the buyer back to the portal, which does not run yet.
        if answer.status not in (200, 303):
            raise SandboxRefused(answer.read().decode(errors="replace")[:500])
    finally:
        connection.close()
