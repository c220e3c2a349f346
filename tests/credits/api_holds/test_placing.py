"""POST /holds: reserved at the price of now, each key once."""

from __future__ import annotations

from datetime import timedelta
from json import dumps

import pytest

from accounts.models import Membership, Role
from credits.models import Hold
from tests.conftest import NOW
from tests.credits.api_holds.conftest import (
    CONFLICT,
    DAY,
    MIN_12_S,
    assert_invalid,
    block_spending,
    body,
    figures,
    json_time,
    place,
    publish_dearer_card,
    quote,
)
from tests.factories import make_member

pytestmark = pytest.mark.usefixtures("rates", "clock")


class TestPlace:
    def test_reserves_what_the_job_costs_now(self, caller, wallet):
        response = caller.post("/holds", body(wallet, reference="job 7"), key="k")

        hold = Hold.objects.get()
        assert response.status_code == 201
        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
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
