"""POST /debits: what it takes, what it refuses, and each key once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts import keys
from accounts.models import Role, Scope, ServiceKey
from config.clock import now
from credits import ledger, rate_cards
from credits.models import LedgerEntry, SpendingBlock, Wallet
from tests.conftest import NOW
from tests.credits.conftest import Caller
from tests.factories import make_account, make_member, make_user, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

MIN_12_S = [{"feature": "avatar-iv", "quantity": 72_000}]


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(
        make_account("Northwind"), {"a": (1_500, None)}, way_forward="Buy credits."
    )


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def body(wallet, lines=MIN_12_S, **members):
    return {"account": wallet.account.public_id, "lines": lines, **members}


def balance(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestDebit:
    def test_charges_1_min_12_s_of_avatar_iv_with_24_credits(self, caller, wallet):
        response = caller.post("/debits", body(wallet, reference="job 7"), key="k")

        assert response.status_code == 201
        entry = LedgerEntry.objects.get(wallet=wallet, kind="SPEND")
        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "seq": 2,
            "credits": 24,
            "balance_after": 1_476,
            "rate_version": 1,
            "lines": [
                {
                    "feature": "avatar-iv",
                    "quantity": 72_000,
                    "unit": "MILLISECOND",
                    "credits": 24,
                }
            ],
            "member": None,
            "reference": "job 7",
            "occurred_at": json_time(entry.occurred_at),
        }
        assert entry.actor.startswith("Renderer (key_")

    def test_sums_a_feature_and_rounds_it_once(self, caller, wallet):
        lines = [{"feature": "avatar-iv", "quantity": 1_500}] * 3

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert [response.json()["credits"], len(response.json()["lines"])] == [2, 1]

    def test_names_the_member_who_used_them(self, caller, wallet):
        member = make_member(wallet.account, Role.MEMBER, "ann@northwind.example")

        response = caller.post(
            "/debits", body(wallet, member="Ann@Northwind.example"), key="k"
        )

        assert response.json()["member"] == "ann@northwind.example"
        entry = LedgerEntry.objects.get(wallet=wallet, kind="SPEND")
        assert (entry.member_id, entry.member) == (member.pk, "ann@northwind.example")

    def test_refuses_a_member_of_another_account(self, caller, wallet):
        make_member(make_account(), Role.OWNER, "carol@elsewhere.example")

        response = caller.post(
            "/debits", body(wallet, member="carol@elsewhere.example"), key="k"
        )

        assert_invalid(response, ["#/member"])
        assert balance(wallet) == 1_500

    def test_records_a_job_that_costs_nothing(self, caller, wallet):
        ledger.set_terms(
            wallet_id=wallet.pk,
            rate_plan="legacy",
            spending_block=None,
            way_forward="",
            cycle_starts_at=None,
            cycle_ends_at=None,
        )
        lines = [{"feature": "audio-dubbing", "quantity": 60_000}]

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert (response.status_code, response.json()["credits"]) == (201, 0)
        assert LedgerEntry.objects.filter(wallet=wallet, kind="SPEND").count() == 1

    def test_needs_few_queries(self, caller, wallet, django_assert_num_queries):
        caller.post("/debits", body(wallet), key="warm")

        # The key with its wallet, and the ledger's own call.
        with django_assert_num_queries(2):
            caller.post("/debits", body(wallet), key="k")


class TestRefusal:
    def test_says_needed_available_and_the_way_forward(self, caller, wallet):
        lines = [{"feature": "veo-3", "quantity": 17}]

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert response.status_code == 402
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json() == {
            "type": "/api/v1/problems/insufficient-credits",
            "title": "Not enough credits",
            "status": 402,
            "detail": "This needs 1530 credits and 1500 are available.",
            "needed": 1_530,
            "available": 1_500,
            "way_forward": "Buy credits.",
        }

    def test_says_which_rule_blocks_spending(self, caller, wallet):
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=SpendingBlock.NO_PAID_PLAN,
            way_forward="Choose a paid plan.",
            cycle_starts_at=None,
            cycle_ends_at=None,
        )

        response = caller.post("/debits", body(wallet), key="k")

        assert response.json() == {
            "type": "/api/v1/problems/spending-blocked",
            "title": "This account cannot spend credits",
            "status": 402,
            "detail": "The plan of this account uses no credits.",
            "rule": "NO_PAID_PLAN",
            "way_forward": "Choose a paid plan.",
        }

    def test_refuses_a_feature_without_a_rate(self, caller, wallet):
        lines = [*MIN_12_S, {"feature": "hologram", "quantity": 1}]

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert_invalid(response, ["#/lines/1/feature"])
        assert balance(wallet) == 1_500

    def test_refuses_more_credits_than_the_ledger_can_count(self, caller, wallet):
        lines = [{"feature": "model-training", "quantity": 10**12}]

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert_invalid(response, ["#/lines"])

    @pytest.mark.parametrize(
        "quantity", [0, -1, 1.5, "72000", True, None, 10**12 + 1, 10**40, [1]]
    )
    def test_refuses_a_quantity_that_is_no_whole_number(self, caller, wallet, quantity):
        lines = [{"feature": "avatar-iv", "quantity": quantity}]

        response = caller.post("/debits", body(wallet, lines), key="k")

        assert_invalid(response, ["#/lines/0/quantity"])
        assert balance(wallet) == 1_500

    @pytest.mark.parametrize(
        ("members", "pointers"),
        [
            ({"lines": []}, ["#/lines"]),
            ({"lines": MIN_12_S * 101}, ["#/lines"]),
            ({"lines": None}, ["#/lines"]),
            ({"reference": "a\x00b"}, ["#/reference"]),
            ({"reference": "\ud800"}, ["#/reference"]),
            ({"reference": "x" * 121}, ["#/reference"]),
            ({"member": "nobody@nowhere.example"}, ["#/member"]),
            ({"member": "\x00"}, ["#/member"]),
            ({"credits": 1}, ["#/credits"]),
            ({"price": 1, "reference": 7}, ["#/reference", "#/price"]),
        ],
    )
    def test_names_each_field_that_does_not_fit(
        self, caller, wallet, members, pointers
    ):
        response = caller.post("/debits", json.dumps(body(wallet) | members), key="k")

        assert_invalid(response, pointers)
        assert balance(wallet) == 1_500

    @pytest.mark.parametrize("key", [None, "", "k" * 101, "ключ", "tab\tbed"])
    def test_needs_an_idempotency_key_of_printable_characters(
        self, caller, wallet, key
    ):
        response = caller.post("/debits", body(wallet), key=key)

        assert response.status_code == 422
        assert response.json()["errors"][0]["header"] == "Idempotency-Key"
        assert balance(wallet) == 1_500


class TestIdempotency:
    """Zulip's nine cases, where a case is possible here (R109)."""

    def test_answers_a_repetition_with_the_first_result(self, caller, wallet):
        first = caller.post("/debits", body(wallet), key="k")
        caller.post("/debits", body(wallet), key="between")

        again = caller.post("/debits", body(wallet), key="k")

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.content == first.content
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert balance(wallet) == 1_500 - 2 * 24

    def test_repeats_the_first_price_when_a_new_card_is_in_force(self, caller, wallet):
        first = caller.post("/debits", body(wallet), key="k")
        publish_dearer_card()

        again = caller.post("/debits", body(wallet), key="k")

        assert again.content == first.content
        assert caller.post("/debits", body(wallet), key="new").json()["credits"] == 48

    @pytest.mark.parametrize(
        "changed",
        [
            {"lines": [{"feature": "avatar-iv", "quantity": 72_001}]},
            {"lines": [{"feature": "avatar-iii", "quantity": 72_000}]},
            {"reference": "other"},
        ],
    )
    def test_refuses_another_request_under_the_key(self, caller, wallet, changed):
        caller.post("/debits", body(wallet), key="k")

        response = caller.post("/debits", body(wallet) | changed, key="k")

        assert response.status_code == 409
        assert response.json() == {
            "type": "/api/v1/problems/idempotency-conflict",
            "title": "The key was used for another request",
            "status": 409,
            "detail": "This idempotency key was already used for a different request.",
        }
        assert balance(wallet) == 1_500 - 24

    def test_charges_the_same_request_again_under_another_key(self, caller, wallet):
        caller.post("/debits", body(wallet), key="k")

        again = caller.post("/debits", body(wallet), key="l")

        assert (again.status_code, balance(wallet)) == (201, 1_500 - 48)

    def test_keeps_no_key_of_a_refused_request(self, caller, wallet):
        lines = [{"feature": "veo-3", "quantity": 17}]
        caller.post("/debits", body(wallet, lines), key="k")
        caller.post("/debits", body(wallet, []), key="k")

        response = caller.post("/debits", body(wallet), key="k")

        assert response.status_code == 201

    def test_keeps_the_keys_of_each_account_apart(self, caller_for, wallet):
        other = make_wallet(make_account(), {"a": (100, None)})
        operator = caller_for()

        answers = [
            operator.post("/debits", body(each), key="k") for each in (wallet, other)
        ]

        assert [answer.status_code for answer in answers] == [201, 201]

    def test_keeps_a_key_when_the_service_key_is_rotated(
        self, caller, caller_for, wallet
    ):
        first = caller.post("/debits", body(wallet), key="k")

        again = caller_for(wallet.account).post("/debits", body(wallet), key="k")

        assert again.content == first.content

    def test_cannot_take_a_key_that_the_ledger_uses(self, caller, wallet):
        grant = ledger.grant(
            wallet_id=wallet.pk,
            source="PROMO",
            source_key="p",
            credits=5,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=now() + timedelta(days=1),
            actor="test",
            at=NOW,
        )
        caller.post("/debits", body(wallet), key=f"expire:{grant.grant_id}")
        later = now() + timedelta(days=2)

        ledger.expire_due(limit=10, at=later)

        assert Wallet.objects.get(pk=wallet.pk).next_expiry_at is None


class TestAccess:
    @pytest.mark.parametrize(
        "scopes", [[Scope.CREDITS_READ], [Scope.RATES_READ, Scope.CREDITS_READ]]
    )
    def test_needs_the_scope_to_spend(self, caller_for, wallet, scopes):
        response = caller_for(wallet.account, scopes).post(
            "/debits", body(wallet), key="k"
        )

        assert response.status_code == 403
        assert response.json() == {
            "type": "/api/v1/problems/missing-scope",
            "title": "The service key lacks a scope",
            "status": 403,
            "detail": "This call needs a service key with the scope credits:spend.",
            "scope": "credits:spend",
        }

    def test_treats_another_account_like_one_that_does_not_exist(
        self, caller_for, wallet
    ):
        stranger = caller_for(make_wallet().account)

        foreign = stranger.post("/debits", body(wallet), key="k")
        unknown = stranger.post("/debits", body(wallet) | {"account": "acc_0"}, key="k")

        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.content == unknown.content
        assert balance(wallet) == 1_500

    def test_refuses_a_key_that_was_revoked_a_moment_ago(self, caller_for, wallet):
        caller = caller_for(wallet.account)
        first = caller.post("/debits", body(wallet), key="a").json()
        keys.revoke(key=ServiceKey.objects.get(), by=make_user(), at=NOW)

        refused = caller.post("/debits", body(wallet), key="b")

        assert refused.status_code == 401
        assert balance(wallet) == first["balance_after"]

    def test_asks_for_a_key_before_it_reads_what_is_sent(self, wallet):
        stranger = Caller("prsr_no")

        for sent in ("[" * 50_000, "{", "[]", '{"account": 1}', json.dumps({})):
            assert stranger.post("/debits", sent, key="k").status_code == 401

    def test_lets_the_operator_spend_for_any_account(self, caller_for, wallet):
        response = caller_for().post("/debits", body(wallet), key="k")

        assert response.status_code == 201


def assert_invalid(response, pointers) -> None:
    problem = response.json()
    assert response.status_code == 422
    assert problem["type"] == "/api/v1/problems/invalid-request"
    assert [error["pointer"] for error in problem["errors"]] == pointers


def json_time(instant) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def publish_dearer_card() -> None:
    card, _ = rate_cards.read()
    dearer = tuple(replace(line, credits=2 * line.credits) for line in card.lines)
    rate_cards.publish(
        replace(card, version=2, starts_at=now(), lines=dearer), at=now()
    )
