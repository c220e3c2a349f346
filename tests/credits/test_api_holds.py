"""Holds through the API: placed, extended, charged and released, each key once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from json import dumps

import pytest

from accounts.models import Membership, Role, Scope
from credits import audits, ledger, rate_cards
from credits.models import Hold, LedgerEntry, SpendingBlock, Wallet
from tests.conftest import NOW
from tests.factories import job, make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

MIN_12_S = [{"feature": "avatar-iv", "quantity": 72_000}]
HALF_A_MIN = [{"feature": "avatar-iv", "quantity": 30_000}]
TWO_MIN = [{"feature": "avatar-iv", "quantity": 120_000}]
DAY = timedelta(days=1)


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


def release(caller, hold, cause="canceled", key="release"):
    return caller.post(f"/holds/{hold}/release", {"cause": cause}, key=key)


def figures(wallet) -> tuple[int, int]:
    wallet.refresh_from_db()
    return wallet.balance, wallet.held


class TestPlace:
    def test_reserves_what_the_job_costs_now(self, caller, wallet):
        response = caller.post("/holds", body(wallet, reference="job 7"), key="k")

        hold = Hold.objects.get()
        assert response.status_code == 201
        assert response.json() == {
            "account": wallet.account.public_id,
            "hold": hold.public_id,
            "credits": 24,
            "rate_version": 1,
            "expires_at": json_time(NOW + DAY),
            "available": 76,
        }
        assert (hold.reference, figures(wallet)) == ("job 7", (100, 24))

    def test_names_the_member_whose_job_it_is(self, caller, wallet):
        member = make_member(wallet.account, Role.MEMBER, "ann@northwind.example")

        place(caller, wallet, member="Ann@Northwind.example")

        hold = Hold.objects.get()
        assert (hold.member_id, hold.member) == (member.pk, "ann@northwind.example")

    def test_lives_as_long_as_asked(self, caller, wallet):
        response = caller.post("/holds", body(wallet, expires_in_s=90), key="k")

        assert response.json()["expires_at"] == json_time(NOW + timedelta(seconds=90))

    def test_refuses_more_than_there_is(self, caller, wallet):
        lines = [{"feature": "veo-3", "quantity": 2}]

        response = caller.post("/holds", body(wallet, lines=lines), key="k")

        assert response.status_code == 402
        assert response.json() == {
            "type": "/api/v1/problems/insufficient-credits",
            "title": "Not enough credits",
            "status": 402,
            "detail": "This needs 180 credits and 100 are available.",
            "needed": 180,
            "available": 100,
            "way_forward": "Buy credits.",
        }

    def test_says_which_rule_blocks_spending(self, caller, wallet):
        block_spending(wallet)

        response = caller.post("/holds", body(wallet), key="k")

        assert response.json() == {
            "type": "/api/v1/problems/spending-blocked",
            "title": "This account cannot spend credits",
            "status": 402,
            "detail": "A payment is overdue.",
            "rule": "PAYMENT_OVERDUE",
            "way_forward": "Pay the open invoice.",
        }

    @pytest.mark.parametrize(
        ("members", "pointer"),
        [
            ({"lines": None}, "#"),
            ({"quote": "x", "lines": MIN_12_S}, "#"),
            ({"quote": "\ud800"}, "#/quote"),
            ({"quote": ""}, "#/quote"),
            ({"expires_in_s": 0}, "#/expires_in_s"),
            ({"expires_in_s": 7 * 86_400 + 1}, "#/expires_in_s"),
            ({"expires_in_s": "60"}, "#/expires_in_s"),
            ({"member": "nobody@nowhere.example"}, "#/member"),
            ({"lines": [{"feature": "hologram", "quantity": 1}]}, "#/lines/0/feature"),
            ({"lines": [{"feature": "model-training", "quantity": 10**12}]}, "#/lines"),
            ({"credits": 7}, "#/credits"),
        ],
    )
    def test_names_what_does_not_fit(self, caller, wallet, members, pointer):
        response = caller.post("/holds", dumps(body(wallet, **members)), key="k")

        assert_invalid(response, pointer)
        assert figures(wallet) == (100, 0)

    def test_needs_a_key(self, caller, wallet):
        response = caller.post("/holds", body(wallet))

        assert response.json()["errors"][0]["header"] == "Idempotency-Key"


class TestPlaceAgain:
    def test_answers_with_the_first_hold(self, caller, wallet):
        first = caller.post("/holds", body(wallet), key="k")

        again = caller.post("/holds", body(wallet), key="k")

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"
        assert figures(wallet) == (100, 24)

    def test_keeps_the_first_price_when_a_new_card_is_in_force(
        self, caller, wallet, clock
    ):
        first = caller.post("/holds", body(wallet), key="k")
        publish_dearer_card(clock)

        again = caller.post("/holds", body(wallet), key="k")

        assert again.content == first.content

    @pytest.mark.parametrize(
        "changed",
        [
            # As dear as the first, and yet another job.
            {"lines": [{"feature": "avatar-iv", "quantity": 71_999}]},
            {"reference": "other"},
        ],
    )
    def test_refuses_another_request_under_the_key(self, caller, wallet, changed):
        place(caller, wallet, key="k")

        response = caller.post("/holds", body(wallet, **changed), key="k")

        assert response.json() == CONFLICT
        assert figures(wallet) == (100, 24)

    def test_answers_although_the_quote_has_expired_since(self, caller, wallet, clock):
        asked = body(wallet, quote=quote(caller, wallet))
        first = caller.post("/holds", asked, key="k")
        clock.advance(timedelta(minutes=15))

        again = caller.post("/holds", asked, key="k")

        assert (again.status_code, again.content) == (200, first.content)

    def test_answers_although_the_member_has_left_since(self, caller, wallet):
        make_member(wallet.account, Role.MEMBER, "ann@northwind.example")
        asked = body(wallet, member="ann@northwind.example")
        first = caller.post("/holds", asked, key="k")
        Membership.objects.all().delete()

        again = caller.post("/holds", asked, key="k")
        other = caller.post("/holds", asked | {"reference": "other"}, key="k")

        assert (again.status_code, again.content) == (200, first.content)
        assert other.json() == CONFLICT


class TestQuote:
    def test_reserves_what_was_quoted_although_rates_have_changed(
        self, caller, wallet, clock
    ):
        token = quote(caller, wallet)
        publish_dearer_card(clock)

        answer = caller.post("/holds", body(wallet, quote=token), key="k").json()

        assert (answer["credits"], answer["rate_version"]) == (24, 1)
        assert quote_now(caller, wallet) == (48, 2)

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


class TestRead:
    def test_tells_how_the_hold_is(self, caller, wallet):
        hold = place(caller, wallet, reference="job 7")

        response = caller.get(f"/holds/{hold}")

        assert response.json() == {
            "account": wallet.account.public_id,
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


class TestCapture:
    def test_charges_the_job_and_gives_back_the_rest(self, caller, wallet):
        hold = place(caller, wallet)

        response = capture(caller, hold, HALF_A_MIN)

        assert response.status_code == 200
        assert response.json() == {
            "account": wallet.account.public_id,
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


class TestRelease:
    @pytest.mark.parametrize("cause", ["canceled", "failed"])
    def test_charges_nothing(self, caller, wallet, cause):
        hold = place(caller, wallet)

        response = release(caller, hold, cause)

        assert response.status_code == 200
        assert response.json() == {
            "account": wallet.account.public_id,
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


class TestAccess:
    @pytest.mark.parametrize("path", ["", "/extend", "/capture", "/release"])
    def test_needs_the_scope_to_hold(self, caller_for, caller, wallet, path):
        hold = place(caller, wallet)
        reader = caller_for(wallet.account, [Scope.CREDITS_SPEND, Scope.CREDITS_READ])

        response = send(reader, hold, path)

        assert response.status_code == 403
        assert response.json()["scope"] == "credits:hold"

    def test_needs_the_scope_to_place_one(self, caller_for, wallet):
        spender = caller_for(wallet.account, [Scope.CREDITS_SPEND])

        assert spender.post("/holds", body(wallet), key="k").status_code == 403

    @pytest.mark.parametrize("path", ["", "/extend", "/capture", "/release"])
    @pytest.mark.parametrize("hold", ["foreign", "hld_0", "%00", "hld_é", "1"])
    def test_knows_no_hold_of_another_account(
        self, caller, caller_for, wallet, path, hold
    ):
        place(caller, wallet)
        if hold == "foreign":
            other = make_wallet(make_account(), {"a": (50, None)})
            hold = place(caller_for(), other)

        response = send(caller, hold, path)

        assert response.json() == not_found("There is no such hold.")

    def test_places_none_for_another_account(self, caller):
        other = make_wallet(make_account(), {"a": (50, None)})

        response = caller.post("/holds", body(other), key="k")

        assert response.json() == not_found("There is no such account.")


CONFLICT = {
    "type": "/api/v1/problems/idempotency-conflict",
    "title": "The key was used for another request",
    "status": 409,
    "detail": "This idempotency key was already used for a different request.",
}


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


def extend(caller, hold, key="extend", **members):
    return caller.post(f"/holds/{hold}/extend", members, key=key)


def send(caller, hold, path):
    bodies = {
        "/extend": {},
        "/capture": {"lines": MIN_12_S},
        "/release": {"cause": "failed"},
    }
    if path not in bodies:
        return caller.get(f"/holds/{hold}")
    return caller.post(f"/holds/{hold}{path}", bodies[path], key="k")


def quote_now(caller, wallet) -> tuple[int, int]:
    asked = {"account": wallet.account.public_id, "lines": MIN_12_S}
    answer = caller.post("/quotes", asked).json()
    return answer["credits"], answer["rate_version"]


def block_spending(wallet) -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=SpendingBlock.PAYMENT_OVERDUE,
        way_forward="Pay the open invoice.",
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


def json_time(instant) -> str:
    return instant.isoformat().replace("+00:00", "Z")
