"""POST /holds with a quote: exactly what was promised, for 15 minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.credits.api_holds.conftest import (
    DUBBING,
    MIN_12_S,
    body,
    capture,
    change_rate_plan,
    figures,
    json_time,
    not_found,
    publish_dearer_card,
    quote,
)
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")


class TestQuote:
    def test_reserves_what_was_quoted_although_rates_have_changed(
        self, caller, wallet, clock
    ):
        token = quote(caller, wallet)
        publish_dearer_card(clock)

        answer = caller.post("/holds", body(wallet, quote=token), key="k").json()

        assert (answer["credits"], answer["rate_version"]) == (24, 1)
        assert quote_now(caller, wallet) == (48, 2)

    def test_keeps_its_rates_to_the_end_of_the_job(self, caller, wallet):
        """The plan changes between the quote and the hold (R96)."""
        token = quote(caller, wallet, DUBBING)
        change_rate_plan(wallet)
        hold = caller.post("/holds", body(wallet, quote=token), key="k").json()

        answer = capture(caller, hold["hold"], DUBBING).json()

        assert answer["credits"] == hold["credits"] > 0

    def test_is_valid_until_15_minutes_have_passed(self, caller, wallet, clock):
        token = quote(caller, wallet)
        clock.advance(timedelta(minutes=15) - timedelta(microseconds=1))

        response = caller.post("/holds", body(wallet, quote=token), key="k")

        assert response.status_code == 201

    def test_is_refused_from_then_on(self, caller, wallet, clock):
        token = quote(caller, wallet)
        clock.advance(timedelta(minutes=15))

        response = caller.post("/holds", body(wallet, quote=token), key="k")

        assert response.status_code == 422
        assert response.json() == {
            "type": "/api/v1/problems/quote-expired",
            "title": "The quote is no longer valid",
            "status": 422,
            "detail": "Quotes are valid for 15 minutes. Ask for a new one.",
            "expired_at": json_time(NOW + timedelta(minutes=15)),
        }
        assert figures(wallet) == (100, 0)

    def test_of_another_account_looks_like_none(self, caller_for, wallet):
        operator = caller_for()
        foreign = quote(operator, make_wallet(make_account()))

        refusals = [
            operator.post("/holds", body(wallet, quote=token), key="k")
            for token in (foreign, "forged:token", "x")
        ]

        assert {refusal.content for refusal in refusals} == {refusals[0].content}
        assert refusals[0].json() == not_found("There is no such quote.")


def quote_now(caller, wallet) -> tuple[int, int]:
    asked = {"account": wallet.account.public_id, "lines": MIN_12_S}
    answer = caller.post("/quotes", asked).json()
    return answer["credits"], answer["rate_version"]
