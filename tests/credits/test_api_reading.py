"""Rates, quotes, balance and statement through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Scope
from config.clock import now
from credits import ledger
from credits.models import CreditGrant, LedgerEntry, SpendingBlock, Wallet
from tests.factories import job, make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

ENDPOINTS = [
    ("/rates", Scope.RATES_READ),
    ("/accounts/{}/balance", Scope.CREDITS_READ),
    ("/accounts/{}/statement", Scope.CREDITS_READ),
]


@pytest.fixture
def wallet(db) -> Wallet:
    grants = {"soon": (100, timedelta(days=3_000)), "never": (50, None)}
    return make_wallet(make_account("Northwind"), grants, way_forward="Buy credits.")


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


class TestAccess:
    @pytest.mark.parametrize(("path", "scope"), ENDPOINTS)
    def test_opens_to_the_scope(self, caller_for, wallet, path, scope):
        caller = caller_for(wallet.account, [scope])

        response = caller.get(path.format(wallet.account.public_id))

        assert response.status_code == 200

    @pytest.mark.parametrize(("path", "scope"), ENDPOINTS)
    def test_needs_the_scope(self, caller_for, wallet, path, scope):
        caller = caller_for(wallet.account, set(Scope) - {scope})

        response = caller.get(path.format(wallet.account.public_id))

        assert (response.status_code, response.json()["scope"]) == (403, scope)

    def test_needs_the_scope_to_quote(self, caller_for, wallet):
        caller = caller_for(wallet.account, [Scope.CREDITS_SPEND])

        response = caller.post("/quotes", quote_of(wallet))

        assert response.status_code == 403

    @pytest.mark.parametrize("path", ["/accounts/{}/balance", "/accounts/{}/statement"])
    @pytest.mark.parametrize("account", ["foreign", "acc_none", "%00", "acc_é", "1"])
    def test_knows_no_other_account(self, caller, path, account):
        if account == "foreign":
            account = make_wallet().account.public_id

        response = caller.get(path.format(account))

        assert response.status_code == 404
        assert response.json()["detail"] == "There is no such account."

    def test_knows_no_rates_of_another_account(self, caller):
        response = caller.get("/rates", account=make_wallet().account.public_id)

        assert response.status_code == 404

    def test_shows_the_operator_every_account(self, caller_for, wallet):
        response = caller_for().get(f"/accounts/{wallet.account.public_id}/balance")

        assert response.json()["posted"] == 150


class TestRates:
    def test_lists_the_standard_card(self, caller):
        answer = caller.get("/rates").json()

        assert (answer["rate_plan"], answer["version"]) == ("standard", 1)
        assert len(answer["rates"]) == 15
        assert answer["rates"][1] == {
            "feature": "avatar-iv",
            "label": "Avatar IV",
            "unit": "MILLISECOND",
            "credits": 1,
            "per": 3_000,
            "shown": "20 credits per minute",
            "note": "Avatar V costs the same. One credit pays for 3 seconds.",
        }

    def test_lists_the_card_of_an_accounts_rate_plan(self, caller, wallet):
        set_terms(wallet, rate_plan="legacy")

        answer = caller.get("/rates", account=wallet.account.public_id).json()

        [dubbing] = [
            rate for rate in answer["rates"] if rate["feature"] == "audio-dubbing"
        ]
        assert (answer["rate_plan"], dubbing["shown"]) == ("legacy", "Included")


class TestQuote:
    def test_tells_the_exact_credits_and_keeps_nothing(self, caller, wallet):
        lines = [
            {"feature": "expressive-motion", "quantity": 30_000},
            {"feature": "translation-precision", "quantity": 61_000},
        ]

        answer = caller.post("/quotes", quote_of(wallet, lines)).json()

        # What the token and its time do is shown by holds, which take them.
        del answer["quote"], answer["expires_at"]
        assert answer == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "credits": 31,
            "rate_version": 1,
            "lines": [
                {**lines[0], "unit": "MILLISECOND", "credits": 20},
                {**lines[1], "unit": "MILLISECOND", "credits": 11},
            ],
            "is_covered": True,
            "way_forward": "",
        }
        assert LedgerEntry.objects.filter(wallet=wallet).count() == 2

    def test_says_when_the_credits_do_not_cover_it(self, caller, wallet):
        lines = [{"feature": "veo-3", "quantity": 2}]

        answer = caller.post("/quotes", quote_of(wallet, lines)).json()

        assert (answer["credits"], answer["is_covered"]) == (180, False)
        assert answer["way_forward"] == "Buy credits."

    def test_covers_nothing_when_spending_is_blocked(self, caller, wallet):
        set_terms(wallet, spending_block=SpendingBlock.NO_PAID_PLAN)

        answer = caller.post("/quotes", quote_of(wallet)).json()

        assert answer["is_covered"] is False

    def test_does_not_count_on_what_has_expired(self, caller_for):
        wallet = make_wallet(grants={"gone": (100, timedelta(microseconds=1))})

        answer = caller_for().post("/quotes", quote_of(wallet)).json()

        assert answer["is_covered"] is False

    def test_refuses_a_feature_without_a_rate(self, caller, wallet):
        lines = [{"feature": "hologram", "quantity": 1}]

        response = caller.post("/quotes", quote_of(wallet, lines))

        assert response.json()["errors"] == [
            {
                "detail": "There is no rate for “hologram”.",
                "pointer": "#/lines/0/feature",
            }
        ]

    def test_is_unavailable_without_a_rate_card(self, caller, wallet):
        set_terms(wallet, rate_plan="unheard-of")

        response = caller.post("/quotes", quote_of(wallet))

        assert response.status_code == 503


class TestBalance:
    def test_tells_the_figures_and_the_grants_in_the_order_of_use(self, caller, wallet):
        answer = caller.get(f"/accounts/{wallet.account.public_id}/balance").json()

        figures = {
            name: answer[name]
            for name in ("posted", "on_hold", "frozen", "available", "debt")
        }
        assert figures == {
            "posted": 150,
            "on_hold": 0,
            "frozen": 0,
            "available": 150,
            "debt": 0,
        }
        assert answer["next_expiry_credits"] == 100
        assert [grant["remaining"] for grant in answer["grants"]] == [100, 50]

    def test_counts_nothing_that_has_expired(self, caller_for):
        wallet = make_wallet(grants={"gone": (9, timedelta(microseconds=1))})

        answer = (
            caller_for().get(f"/accounts/{wallet.account.public_id}/balance").json()
        )

        assert (answer["posted"], answer["grants"]) == (0, [])


class TestStatement:
    def test_tells_what_each_entry_drew(self, caller, wallet):
        ledger.spend(job(wallet, credits=120), at=now())
        soon = CreditGrant.objects.get(wallet=wallet, granted=100)

        answer = caller.get(f"/accounts/{wallet.account.public_id}/statement").json()

        spend = answer["entries"][0]
        assert (spend["seq"], spend["kind"], spend["credits"]) == (3, "SPEND", -120)
        assert spend["description"] == "Look, 120 looks"
        assert spend["draws"][0] == {
            "grant": soon.pk,
            "label": "Monthly credits",
            "credits": -100,
            "remaining_after": 0,
            "expires_at": soon.expires_at.isoformat().replace("+00:00", "Z"),
        }
        assert spend["draws"][1]["credits"] == -20

    def test_pages_from_new_to_old(self, caller, wallet):
        path = f"/accounts/{wallet.account.public_id}/statement"

        first = caller.get(path, limit=1).json()
        second = caller.get(path, limit=1, before=first["next_before"]).json()

        assert [first["entries"][0]["seq"], second["entries"][0]["seq"]] == [2, 1]
        assert (first["next_before"], second["next_before"]) == (2, None)

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 201}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"before": 0}, "before"),
            ({"before": 2**63}, "before"),
        ],
    )
    def test_refuses_pages_that_cannot_be(self, caller, wallet, query, parameter):
        path = f"/accounts/{wallet.account.public_id}/statement"

        response = caller.get(path, **query)

        assert response.status_code == 422
        assert response.json()["errors"][0]["query"] == parameter


def quote_of(wallet, lines=None):
    return {
        "account": wallet.account.public_id,
        "lines": lines or [{"feature": "look", "quantity": 1}],
    }


def set_terms(wallet, **terms) -> None:
    defaults = {
        "spending_block": None,
        "way_forward": "",
        "cycle_starts_at": None,
        "cycle_ends_at": None,
    }
    ledger.set_terms(wallet_id=wallet.pk, **(defaults | terms))
