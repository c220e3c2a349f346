"""Holds are read, live longer, and are given back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.credits.api_holds.conftest import (
    CONFLICT,
    DAY,
    assert_invalid,
    closed,
    extend,
    figures,
    json_time,
    place,
    release,
)
from tests.factories import make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")


class TestRead:
    def test_tells_how_the_hold_is(self, caller, wallet):
        hold = place(caller, wallet, reference="job 7")

        response = caller.get(f"/holds/{hold}")

        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "hold": hold,
            "state": "OPEN",
            "credits": 24,
            "captured": 0,
            "on_hold": 24,
            "rate_version": 1,
            "member": None,
            "reference": "job 7",
            "placed_at": json_time(NOW),
            "expires_at": json_time(NOW + DAY),
            "closed_at": None,
        }

    def test_tells_that_it_has_timed_out(self, caller, wallet, clock):
        hold = place(caller, wallet)
        clock.advance(DAY)

        answer = caller.get(f"/holds/{hold}").json()

        assert (answer["state"], answer["on_hold"]) == ("EXPIRED", 0)
        assert answer["closed_at"] == json_time(NOW + DAY)


class TestExtend:
    def test_lets_it_live_longer_from_now(self, caller, wallet, clock):
        hold = place(caller, wallet)
        clock.advance(timedelta(hours=20))

        response = extend(caller, hold, expires_in_s=2 * 86_400)

        assert response.json() == {
            "hold": hold,
            "expires_at": json_time(NOW + timedelta(hours=68)),
        }

    def test_never_shortens_it_nor_exceeds_seven_days(self, caller, wallet, clock):
        hold = place(caller, wallet, expires_in_s=6 * 86_400)

        shorter = extend(caller, hold, key="a", expires_in_s=60)
        clock.advance(5 * DAY)
        longer = extend(caller, hold, key="b", expires_in_s=7 * 86_400)

        assert shorter.json()["expires_at"] == json_time(NOW + 6 * DAY)
        assert longer.json()["expires_at"] == json_time(NOW + 7 * DAY)

    def test_takes_effect_once(self, caller, wallet, clock):
        hold = place(caller, wallet)
        first = extend(caller, hold, expires_in_s=2 * 86_400)
        clock.advance(timedelta(hours=1))

        again = extend(caller, hold, expires_in_s=2 * 86_400)

        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_refuses_a_hold_that_has_ended(self, caller, wallet):
        hold = place(caller, wallet)
        release(caller, hold)

        assert extend(caller, hold).json() == closed("RELEASED")


class TestRelease:
    @pytest.mark.parametrize("cause", ["canceled", "failed"])
    def test_charges_nothing(self, caller, wallet, cause):
        hold = place(caller, wallet)

        response = release(caller, hold, cause)

        assert response.status_code == 200
        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "hold": hold,
            "credits": 24,
        }
        assert figures(wallet) == (100, 0)

    @pytest.mark.parametrize(("cause", "left"), [("canceled", 0), ("failed", 24)])
    def test_after_the_expiry_credits_live_on_if_we_failed(
        self, caller_for, clock, cause, left
    ):
        wallet = make_wallet(grants={"a": (24, timedelta(hours=1))})
        caller = caller_for(wallet.account)
        hold = place(caller, wallet)
        clock.advance(timedelta(hours=2))

        release(caller, hold, cause)

        assert figures(wallet) == (left, 0)

    def test_takes_effect_once(self, caller, wallet):
        hold = place(caller, wallet)
        first = release(caller, hold)

        again = release(caller, hold)

        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"
        assert release(caller, hold, "failed").json() == CONFLICT
        assert release(caller, hold, key="other").json() == closed("RELEASED")

    @pytest.mark.parametrize("cause", [None, "", "moderated"])
    def test_needs_to_know_why(self, caller, wallet, cause):
        assert_invalid(release(caller, place(caller, wallet), cause), "#/cause")
