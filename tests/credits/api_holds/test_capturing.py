"""POST /holds/{hold_id}/capture: what a job used, never above its hold."""

from __future__ import annotations

import pytest

from credits import audits, ledger
from credits.models import LedgerEntry
from tests.conftest import NOW
from tests.credits.api_holds.conftest import (
    CONFLICT,
    DAY,
    DUBBING,
    HALF_A_MIN,
    MIN_12_S,
    TWO_MIN,
    assert_invalid,
    block_spending,
    capture,
    change_rate_plan,
    closed,
    figures,
    json_time,
    place,
    publish_dearer_card,
    release,
)
from tests.factories import job

pytestmark = pytest.mark.usefixtures("rates", "clock")

DUBBED = 2  # a minute of it, on the standard card


class TestCapture:
    def test_charges_the_job_and_gives_back_the_rest(self, caller, wallet):
        hold = place(caller, wallet)

        response = capture(caller, hold, HALF_A_MIN)

        assert response.status_code == 200
        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "hold": hold,
            "state": "CAPTURED",
            "seq": 3,
            "credits": 10,
            "absorbed": 0,
            "on_hold": 0,
            "balance_after": 90,
            "rate_version": 1,
            "lines": [{**HALF_A_MIN[0], "unit": "MILLISECOND", "credits": 10}],
            "occurred_at": json_time(NOW),
        }
        assert figures(wallet) == (90, 0)

    def test_charges_at_the_rates_of_the_hold(self, caller, wallet, clock):
        hold = place(caller, wallet)
        publish_dearer_card(clock)

        answer = capture(caller, hold).json()

        assert (answer["credits"], answer["rate_version"]) == (24, 1)

    @pytest.mark.parametrize("rate_plan", ["legacy", "unheard-of"])
    def test_charges_at_the_rates_of_its_plan_though_the_account_has_another(
        self, caller, wallet, rate_plan
    ):
        """Legacy plans have a version 1 too: there dubbing is included."""
        hold = place(caller, wallet, lines=DUBBING)
        change_rate_plan(wallet, rate_plan)

        answer = capture(caller, hold, DUBBING).json()

        assert (answer["credits"], answer["on_hold"]) == (DUBBED, 0)
        assert figures(wallet) == (100 - DUBBED, 0)

    def test_charges_no_more_than_the_hold(self, caller, wallet):
        hold = place(caller, wallet)

        answer = capture(caller, hold, TWO_MIN).json()

        assert (answer["credits"], answer["absorbed"]) == (24, 16)
        assert answer["lines"] == [{**TWO_MIN[0], "unit": "MILLISECOND", "credits": 40}]
        assert figures(wallet) == (76, 0)

    def test_says_on_the_statement_what_was_not_charged(self, caller, wallet):
        capture(caller, place(caller, wallet), TWO_MIN)

        path = f"/accounts/{wallet.account.public_id}/statement"
        [entry, *_] = caller.get(path).json()["entries"]

        assert entry["description"] == (
            "Avatar IV, 2 min; Above the quote, not charged"
        )
        assert [line["credits"] for line in entry["lines"]] == [40, -16]

    def test_charges_in_parts(self, caller, wallet):
        hold = place(caller, wallet)

        parts = [
            capture(caller, hold, HALF_A_MIN, key=f"part {n}", final=False).json()
            for n in range(3)
        ]

        assert [part["state"] for part in parts] == ["OPEN", "OPEN", "CAPTURED"]
        assert [part["credits"] for part in parts] == [10, 10, 4]
        assert [part["on_hold"] for part in parts] == [14, 4, 0]
        assert figures(wallet) == (76, 0)

    def test_repeats_the_first_answer_whatever_came_after(self, caller, wallet):
        hold = place(caller, wallet)
        first = capture(caller, hold, HALF_A_MIN, key="a", final=False)
        capture(caller, hold, HALF_A_MIN, key="b")

        again = capture(caller, hold, HALF_A_MIN, key="a", final=False)

        assert again.content == first.content
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert figures(wallet) == (80, 0)

    def test_refuses_another_request_under_the_key(self, caller, wallet):
        hold = place(caller, wallet)
        capture(caller, hold, HALF_A_MIN)

        assert capture(caller, hold, MIN_12_S).json() == CONFLICT

    def test_refuses_a_hold_that_was_charged_or_released(self, caller, wallet):
        charged, released = place(caller, wallet, "a"), place(caller, wallet, "b")
        capture(caller, charged, key="c")
        release(caller, released, key="d")

        assert capture(caller, charged, key="e").json() == closed("CAPTURED")
        assert capture(caller, released, key="f").json() == closed("RELEASED")

    @pytest.mark.parametrize(
        ("members", "pointer"),
        [
            ({"lines": []}, "#/lines"),
            ({"lines": [{"feature": "hologram", "quantity": 1}]}, "#/lines/0/feature"),
            ({"final": "no"}, "#/final"),
            ({"credits": 7}, "#/credits"),
        ],
    )
    def test_names_what_does_not_fit(self, caller, wallet, members, pointer):
        hold = place(caller, wallet)

        response = capture(caller, hold, **({"lines": MIN_12_S} | members))

        assert_invalid(response, pointer)
        assert figures(wallet) == (100, 24)


class TestCaptureOfALapsedHold:
    """R72: the job is charged anew, once, and no debt arises."""

    @pytest.fixture
    def hold(self, caller, wallet, clock) -> str:
        hold = place(caller, wallet, reference="job 7")
        clock.advance(DAY)
        return hold

    def test_charges_the_job_anew(self, caller, wallet, hold):
        answer = capture(caller, hold, HALF_A_MIN).json()

        assert (answer["state"], answer["credits"]) == ("EXPIRED", 10)
        assert figures(wallet) == (90, 0)
        assert LedgerEntry.objects.get(kind="SPEND").reference == "job 7"

    def test_charges_it_at_the_rates_of_the_hold(self, caller, wallet, clock):
        hold = place(caller, wallet, lines=DUBBING)
        change_rate_plan(wallet)
        clock.advance(DAY)

        answer = capture(caller, hold, DUBBING).json()

        assert (answer["state"], answer["credits"]) == ("EXPIRED", DUBBED)

    def test_charges_no_more_than_was_on_hold(self, caller, wallet, hold):
        answer = capture(caller, hold, TWO_MIN).json()

        assert (answer["credits"], answer["absorbed"]) == (24, 16)
        assert figures(wallet) == (76, 0)
        assert audits.verify() == []

    def test_charges_it_once(self, caller, wallet, hold):
        first = capture(caller, hold)

        again = capture(caller, hold)
        other = capture(caller, hold, HALF_A_MIN, key="another attempt")

        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"
        assert other.json() == closed("EXPIRED")
        assert figures(wallet) == (76, 0)

    def test_repeats_what_was_charged_before_it_lapsed(self, caller, wallet, clock):
        hold = place(caller, wallet, key="h")
        first = capture(caller, hold, HALF_A_MIN, final=False)
        clock.advance(DAY)

        again = capture(caller, hold, HALF_A_MIN, final=False)

        assert again.content == first.content
        assert figures(wallet) == (90, 0)

    def test_is_refused_when_there_are_too_few_credits(self, caller, wallet, hold):
        ledger.spend(job(wallet, 90), at=NOW + DAY)

        response = capture(caller, hold)

        assert response.status_code == 402
        assert response.json() == {
            "type": "/api/v1/problems/hold-expired",
            "title": "The hold has timed out",
            "status": 402,
            "detail": "The hold has timed out."
            " This needs 24 credits and 10 are available.",
            "needed": 24,
            "available": 10,
            "way_forward": "Buy credits.",
        }
        assert figures(wallet) == (10, 0)

    def test_is_refused_when_spending_is_blocked(self, caller, wallet, hold):
        block_spending(wallet)

        problem = capture(caller, hold).json()

        assert problem["type"] == "/api/v1/problems/hold-expired"
        assert problem["detail"] == "The hold has timed out. A payment is overdue."
