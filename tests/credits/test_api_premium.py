"""`unit: premium`: jobs that are paid in the premium credits of legacy plans (R34)."""

from __future__ import annotations

from datetime import timedelta
from json import dumps

import pytest

from credits import audits, ledger
from credits.models import GrantSource, SpendingBlock, Wallet, WalletUnit
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

MIN_12_S = [{"feature": "avatar-iv", "quantity": 72_000}]
DUBBING = [{"feature": "audio-dubbing", "quantity": 60_000}]
MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


@pytest.fixture
def wallet(db) -> Wallet:
    """Credits: 1,000."""
    return make_wallet(make_account("Northwind"), {"a": (1_000, None)})


@pytest.fixture
def premium(wallet) -> Wallet:
    """Premium credits of the same account: two packs, 100 that end first and 200."""
    wallet_id = ledger.open_wallet(
        account_id=wallet.account_id, unit=WalletUnit.PREMIUM, at=NOW
    )
    let_spend(wallet_id)
    for name, credits, days in (("P-2", 200, 60), ("P-1", 100, 30)):
        ledger.grant(
            wallet_id=wallet_id,
            source=GrantSource.PACK,
            source_key=f"legacy:{name}",
            credits=credits,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=NOW + timedelta(days=days),
            actor="test",
            at=NOW,
        )
    return Wallet.objects.get(pk=wallet_id)


def let_spend(wallet_id: int, block: SpendingBlock | None = None) -> None:
    ledger.set_terms(
        wallet_id=wallet_id,
        rate_plan="legacy",
        spending_block=block,
        way_forward="Change to a plan with credits.",
        cycle_starts_at=None,
        cycle_ends_at=None,
    )


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def job(wallet, lines=MIN_12_S, **members):
    account = wallet.account.public_id
    return {"account": account, "unit": "premium", "lines": lines, **members}


def debit(caller, wallet, lines=MIN_12_S, key="k", **members):
    return caller.post("/debits", job(wallet, lines, **members), key=key)


def read(caller, wallet, what, **query):
    return caller.get(f"/accounts/{wallet.account.public_id}/{what}", **query)


def balances(*wallets: Wallet) -> list[int]:
    return [Wallet.objects.get(pk=wallet.pk).balance for wallet in wallets]


class TestDebit:
    def test_takes_premium_credits_and_no_others(self, caller, wallet, premium):
        response = debit(caller, wallet)

        answer = response.json()
        assert response.status_code == 201
        assert (answer["unit"], answer["credits"]) == ("premium", 24)
        assert balances(wallet, premium) == [1_000, 276]
        assert audits.verify() == []

    def test_without_a_unit_takes_credits(self, caller, wallet, premium):
        body = job(wallet)
        del body["unit"]

        answer = caller.post("/debits", body, key="k").json()

        assert answer["unit"] == "credits"
        assert balances(wallet, premium) == [976, 300]

    def test_takes_from_the_pack_that_ends_first(self, caller, wallet, premium):
        """R2: packs are used in the order of their ends."""
        debit(caller, wallet)

        grants = read(caller, wallet, "balance", unit="premium").json()["grants"]
        assert [(one["granted"], one["remaining"]) for one in grants] == [
            (100, 76),
            (200, 200),
        ]

    def test_charges_legacy_rates(self, caller, wallet, premium):
        included = debit(caller, wallet, DUBBING).json()
        charged = debit(caller, wallet, DUBBING, key="k2", unit="credits").json()

        assert (included["credits"], charged["credits"]) == (0, 2)

    def test_repeats_its_first_answer(self, caller, wallet, premium):
        first = debit(caller, wallet).json()

        again = debit(caller, wallet)

        assert (again.status_code, again.json()) == (200, first)
        assert balances(premium) == [276]

    def test_has_its_keys_for_itself(self, caller, wallet, premium):
        debit(caller, wallet)

        assert debit(caller, wallet, unit="credits").status_code == 201

    def test_of_too_much_names_the_way_forward(self, caller, wallet, premium):
        response = debit(caller, wallet, [{"feature": "veo-3", "quantity": 4}])

        problem = response.json()
        assert response.status_code == 402
        assert (problem["needed"], problem["available"]) == (360, 300)
        assert problem["way_forward"] == "Change to a plan with credits."

    def test_is_blocked_when_the_plan_is_lost(self, caller, wallet, premium):
        """R35: packs wait for a paid plan."""
        let_spend(premium.pk, SpendingBlock.NO_PAID_PLAN)

        problem = debit(caller, wallet).json()

        assert (problem["status"], problem["rule"]) == (402, "NO_PAID_PLAN")

    def test_takes_as_many_queries_as_any_other(
        self, caller, wallet, premium, django_assert_num_queries
    ):
        debit(caller, wallet, key="warm")

        with django_assert_num_queries(2):
            debit(caller, wallet)

    def test_in_another_unit_is_invalid(self, caller, wallet, premium):
        response = debit(caller, wallet, unit="gold")

        assert response.json()["errors"][0]["pointer"] == "#/unit"


class TestWithoutPremiumCredits:
    PROBLEM = {
        "type": "/api/v1/problems/no-premium-credits",
        "title": "This account has no premium credits",
        "status": 404,
        "detail": "Premium credits belong to legacy plans, and this account was on"
        " none.",
        "rule": "R34",
        "way_forward": "Leave `unit` out: this account uses credits.",
    }

    def test_a_debit_says_why_and_what_to_do(self, caller, wallet):
        response = debit(caller, wallet)

        assert (response.status_code, response.json()) == (404, self.PROBLEM)

    def test_a_quote_says_the_same(self, caller, wallet):
        assert caller.post("/quotes", job(wallet)).json() == self.PROBLEM

    def test_a_hold_says_the_same(self, caller, wallet):
        assert caller.post("/holds", job(wallet), key="k").json() == self.PROBLEM

    @pytest.mark.parametrize(
        ("what", "query"), [("balance", {}), ("statement", {}), ("usage", MARCH)]
    )
    def test_reading_says_the_same(self, caller, wallet, what, query):
        answer = read(caller, wallet, what, unit="premium", **query).json()

        assert answer == self.PROBLEM

    def test_another_account_stays_unknown(self, caller):
        stranger = make_wallet(make_account("Elsewhere"))

        problem = debit(caller, stranger).json()

        assert problem["type"] == "/api/v1/problems/not-found"


class TestBatch:
    def test_charges_each_item_in_its_unit(self, caller, wallet, premium):
        items = [
            job(wallet, key="a"),
            job(wallet, key="b", unit="credits"),
            job(wallet, DUBBING, key="c"),
        ]

        results = charge(caller, items)

        assert [(one["unit"], one["credits"]) for one in results] == [
            ("premium", 24),
            ("credits", 24),
            ("premium", 0),
        ]
        assert balances(wallet, premium) == [976, 276]

    def test_harms_no_other_item_by_one_without_a_wallet(self, caller, wallet):
        items = [job(wallet, key="a"), job(wallet, key="b", unit="credits")]

        results = charge(caller, items)

        assert results[0] == TestWithoutPremiumCredits.PROBLEM
        assert results[1]["status"] == 201


def charge(caller, items):
    response = caller.post("/debits/batch", dumps({"items": items}))
    return response.json()["results"]


class TestHold:
    def test_reserves_and_charges_premium_credits(self, caller, wallet, premium):
        held = caller.post("/holds", job(wallet), key="h").json()

        charged = caller.post(
            f"/holds/{held['hold']}/capture", {"lines": MIN_12_S}, key="c"
        ).json()

        assert (held["unit"], held["available"]) == ("premium", 276)
        assert (charged["unit"], charged["credits"]) == ("premium", 24)
        assert balances(wallet, premium) == [1_000, 276]

    def test_reserves_what_was_quoted(self, caller, wallet, premium):
        quote = caller.post("/quotes", job(wallet, DUBBING)).json()

        held = caller.post(
            "/holds",
            {
                "account": wallet.account.public_id,
                "unit": "premium",
                "quote": quote["quote"],
            },
            key="h",
        ).json()

        assert (quote["unit"], quote["credits"], held["credits"]) == ("premium", 0, 0)

    def test_takes_no_quote_of_the_other_unit(self, caller, wallet, premium):
        quote = caller.post("/quotes", job(wallet, DUBBING)).json()["quote"]

        body = {"account": wallet.account.public_id, "quote": quote}
        response = caller.post("/holds", body, key="h")

        assert response.status_code == 404
        assert response.json()["detail"] == "There is no such quote."


class TestReading:
    def test_tells_each_balance_apart(self, caller, wallet, premium):
        credits = read(caller, wallet, "balance").json()
        answer = read(caller, wallet, "balance", unit="premium").json()

        assert (credits["unit"], credits["available"]) == ("credits", 1_000)
        assert (answer["unit"], answer["available"]) == ("premium", 300)
        assert {grant["source"] for grant in answer["grants"]} == {"PACK"}

    def test_tells_movements_apart(self, caller, wallet, premium):
        debit(caller, wallet)

        entries = read(caller, wallet, "statement", unit="premium").json()["entries"]

        assert [entry["credits"] for entry in entries] == [-24, 100, 200]

    def test_adds_up_usage_apart(self, caller, wallet, premium):
        debit(caller, wallet)
        debit(caller, wallet, DUBBING, key="k2", unit="credits")

        usage = read(caller, wallet, "usage", unit="premium", **MARCH).json()

        assert (usage["unit"], usage["credits"]) == ("premium", 24)

    def test_tells_the_rates_of_premium_credits(self, caller, wallet, premium):
        query = {"account": wallet.account.public_id, "unit": "premium"}

        assert caller.get("/rates", **query).json()["rate_plan"] == "legacy"
