"""What the tests of holds through the API share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credits import ledger, rate_cards
from credits.models import SpendingBlock, Wallet
from tests.factories import make_account, make_wallet

MIN_12_S = [{"feature": "avatar-iv", "quantity": 72_000}]
HALF_A_MIN = [{"feature": "avatar-iv", "quantity": 30_000}]
DUBBING = [{"feature": "audio-dubbing", "quantity": 60_000}]
TWO_MIN = [{"feature": "avatar-iv", "quantity": 120_000}]
DAY = timedelta(days=1)
CONFLICT = {
    "type": "/api/v1/problems/idempotency-conflict",
    "title": "The key was used for another request",
    "status": 409,
    "detail": "This idempotency key was already used for a different request.",
}


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(
        make_account("Northwind"), {"a": (100, None)}, way_forward="Buy credits."
    )


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def body(wallet, **members):
    members.setdefault("lines", None if "quote" in members else MIN_12_S)
    return {"account": wallet.account.public_id, **members}


def place(caller, wallet, key="hold", **members) -> str:
    return caller.post("/holds", body(wallet, **members), key=key).json()["hold"]


def quote(caller, wallet, lines=MIN_12_S) -> str:
    asked = {"account": wallet.account.public_id, "lines": lines}
    return caller.post("/quotes", asked).json()["quote"]


def capture(caller, hold, lines=MIN_12_S, key="capture", **members):
    return caller.post(f"/holds/{hold}/capture", {"lines": lines, **members}, key=key)


def extend(caller, hold, key="extend", **members):
    return caller.post(f"/holds/{hold}/extend", members, key=key)


def release(caller, hold, cause="canceled", key="release"):
    return caller.post(f"/holds/{hold}/release", {"cause": cause}, key=key)


def figures(wallet) -> tuple[int, int]:
    wallet.refresh_from_db()
    return wallet.balance, wallet.held


def block_spending(wallet) -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=SpendingBlock.PAYMENT_OVERDUE,
        way_forward="Pay the open invoice.",
        cycle_starts_at=None,
        cycle_ends_at=None,
    )


def change_rate_plan(wallet, rate_plan="legacy") -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="Buy credits.",
        rate_plan=rate_plan,
        cycle_starts_at=None,
        cycle_ends_at=None,
    )


def publish_dearer_card(clock) -> None:
    card, _ = rate_cards.read()
    clock.advance(timedelta(minutes=1))
    dearer = tuple(replace(line, credits=2 * line.credits) for line in card.lines)
    rate_cards.publish(
        replace(card, version=2, starts_at=clock.at, lines=dearer), at=clock.at
    )


def closed(state):
    return {
        "type": "/api/v1/problems/hold-closed",
        "title": "The hold is no longer open",
        "status": 409,
        "detail": "This hold is no longer open.",
        "state": state,
    }


def not_found(detail):
    return {
        "type": "/api/v1/problems/not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": detail,
    }


def assert_invalid(response, pointer) -> None:
    problem = response.json()
    assert response.status_code == 422
    assert problem["type"] == "/api/v1/problems/invalid-request"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def json_time(instant) -> str:
    return instant.isoformat().replace("+00:00", "Z")
