"""What a caller is told when a member's cap is reached (R87)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Role
from credits import ledger
from credits.models import Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

DAY = timedelta(days=1)


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(make_account("Northwind"), {"a": (1_000, None)})


@pytest.fixture
def bob(wallet):
    return make_member(wallet.account, Role.MEMBER, "bob@example.com")


@pytest.fixture
def set_cap(wallet, bob):
    def set_(credits):
        ledger.set_cap(
            wallet_id=wallet.pk,
            member_id=bob.pk,
            credits=credits,
            set_by_id=bob.pk,
            at=NOW,
        )

    return set_


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def looks(wallet, quantity, **members):
    """A job of bob that costs as many credits."""
    lines = [{"feature": "look", "quantity": quantity}]
    account = wallet.account.public_id
    return {"account": account, "member": "bob@example.com", "lines": lines, **members}


class TestDebit:
    def test_is_refused_with_the_numbers_and_who_can_help(
        self, caller, wallet, set_cap
    ):
        set_cap(30)
        caller.post("/debits", looks(wallet, 10), key="a")

        response = caller.post("/debits", looks(wallet, 21), key="b")

        assert response.status_code == 402
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json() == {
            "type": "/api/v1/problems/member-cap-reached",
            "title": "The member's cap is reached",
            "status": 402,
            "detail": "This needs 21 credits and the member has used 10 of 30.",
            "needed": 21,
            "cap": 30,
            "used": 10,
            "way_forward": "These roles can raise it on the page “Team”: Owner, Admin.",
        }

    def test_goes_through_once_the_cap_is_raised(self, caller, wallet, set_cap):
        set_cap(20)
        assert caller.post("/debits", looks(wallet, 21), key="a").status_code == 402
        set_cap(21)

        assert caller.post("/debits", looks(wallet, 21), key="a").status_code == 201

    def test_of_a_batch_is_refused_alone(self, caller, wallet, set_cap):
        set_cap(20)
        items = [looks(wallet, 15, key="a"), looks(wallet, 6, key="b")]
        items.append(looks(wallet, 6, key="c", member=None))

        answer = caller.post("/debits/batch", {"items": items})

        results = answer.json()["results"]
        assert [result["status"] for result in results] == [201, 402, 201]
        assert results[1]["type"] == "/api/v1/problems/member-cap-reached"


class TestHold:
    def test_is_refused(self, caller, wallet, set_cap):
        set_cap(20)
        caller.post("/holds", looks(wallet, 15), key="a")

        response = caller.post("/holds", looks(wallet, 6), key="b")

        assert response.status_code == 402
        assert response.json()["type"] == "/api/v1/problems/member-cap-reached"
        assert response.json()["used"] == 15

    def test_that_was_placed_is_charged_whatever_the_cap_is_then(
        self, caller, wallet, set_cap
    ):
        hold = caller.post("/holds", looks(wallet, 15), key="a").json()["hold"]
        set_cap(0)

        answer = capture(caller, hold)

        assert (answer.status_code, answer.json()["credits"]) == (200, 15)

    def test_that_has_timed_out_is_charged_anew_within_the_cap(
        self, caller, wallet, clock, set_cap
    ):
        hold = caller.post("/holds", looks(wallet, 15), key="a").json()["hold"]
        clock.advance(2 * DAY)
        set_cap(14)

        answer = capture(caller, hold)

        assert answer.status_code == 402
        assert answer.json()["type"] == "/api/v1/problems/member-cap-reached"


def capture(caller, hold):
    lines = [{"feature": "look", "quantity": 15}]
    return caller.post(f"/holds/{hold}/capture", {"lines": lines}, key="capture")
