"""Odd input is taken or refused as the document says, and breaks nothing."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from credits import ledger
from credits.models import Wallet
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

ACCOUNT = "acc_7k3m0q2w9x4t6y8z1b5c"
LINES = [{"feature": "avatar-iv", "quantity": 1}]
JOB = """{"account": "acc_7k3m0q2w9x4t6y8z1b5c",
    "lines": [{"feature": "avatar-iv", "quantity": %s}], "reference": "%s"}"""


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(make_account(public_id=ACCOUNT), {"a": (100, None)})


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


class TestNumbers:
    @pytest.mark.parametrize("quantity", ["72000", "72000.0", "7.2e4"])
    def test_are_whole_in_any_spelling(self, caller, quantity):
        response = caller.post("/debits", JOB % (quantity, ""), key="k")

        assert (response.status_code, response.json()["credits"]) == (201, 24)

    @pytest.mark.parametrize(
        "quantity",
        ["0", "-1", "0.5", "1e400", "NaN", "1" + "0" * 30, "true", "null", '"3"'],
    )
    def test_are_refused_when_they_count_nothing(self, caller, quantity):
        response = caller.post("/debits", JOB % (quantity, ""), key="k")

        assert response.status_code == 422
        [error] = response.json()["errors"]
        assert error["pointer"] == "#/lines/0/quantity"

    @pytest.mark.parametrize("seconds", ["90.0", "9e1"])
    def test_are_seconds_in_any_spelling(self, caller, seconds):
        hold = (JOB % (1, "")).replace('"reference": ""', f'"expires_in_s": {seconds}')

        response = caller.post("/holds", hold, key="k")

        assert response.status_code == 201


class TestText:
    @pytest.mark.parametrize("text", [r"\u0000", r"\ud800", r"\n", r"\u007f"])
    def test_is_refused_when_it_cannot_be_kept(self, caller, text):
        response = caller.post("/debits", JOB % (1, text), key="k")

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "#/reference"

    def test_of_any_script_is_kept(self, caller):
        response = caller.post("/debits", JOB % (1, "仕事 7 🎬"), key="k")

        assert response.json()["reference"] == "仕事 7 🎬"

    @pytest.mark.parametrize(
        ("name", "pointer"),
        [("a/b", "#/a~1b"), ("a~b", "#/a~0b"), ("a b", "#/a%20b"), (r"\ud800", "#")],
    )
    def test_of_a_member_that_is_unknown_is_pointed_at(self, caller, name, pointer):
        job = (JOB % (1, "")).replace("reference", name)

        response = caller.post("/debits", job, key="k")

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == pointer

    def test_names_no_member_of_an_item_when_it_is_broken(self, caller):
        body = '{"items": [{"\\ud800": 1}]}'

        response = caller.post("/debits/batch", body)

        assert response.json()["results"][0]["status"] == 422


class TestKeys:
    @pytest.mark.parametrize("key", [" ", " k", "k ", "k\t", "ключ", "k" * 101])
    def test_are_refused_when_headers_cannot_carry_them(self, caller, key):
        response = caller.post("/debits/batch", {"items": [item(key)]})

        [result] = response.json()["results"]
        assert (result["status"], result["errors"][0]["pointer"]) == (422, "#/key")

    @pytest.mark.parametrize("key", ["k", "a b", "~!", "k" * 100])
    def test_are_taken_otherwise(self, caller, key):
        response = caller.post("/debits/batch", {"items": [item(key)]})

        assert response.json()["results"][0]["status"] == 201


class TestAddresses:
    @pytest.mark.parametrize("account", ["%00", "%ff", "%ed%a0%80", "..", "a" * 64])
    def test_of_no_account_are_not_there(self, caller, account):
        response = caller.get(f"/accounts/{account}/balance")

        assert response.status_code == 404

    def test_are_refused_when_no_id_is_so_long(self, caller):
        response = caller.get(f"/accounts/{'a' * 65}/balance")

        assert response.status_code == 422
        assert response.json()["errors"][0]["path"] == "account"

    def test_have_no_slash_at_the_end(self, caller):
        response = caller.get("/rates/")

        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"


class TestQuoteOrLines:
    @pytest.mark.parametrize(
        "ways",
        [{}, {"quote": None, "lines": None}, {"quote": "a:b", "lines": LINES}],
    )
    def test_are_priced_one_way(self, caller, ways):
        response = caller.post("/holds", {"account": ACCOUNT, **ways}, key="k")

        assert response.status_code == 422


class TestMissingRates:
    """R97: refused, and somebody is told."""

    def test_raise_an_alarm_for_a_feature(self, caller):
        lines = [{"feature": "hologram", "quantity": 1}]

        with capture_logs() as logs:
            response = caller.post("/quotes", {"account": ACCOUNT, "lines": lines})

        assert response.status_code == 422
        assert alarms(logs) == [
            {
                "event": "rate_missing",
                "log_level": "error",
                "features": ["hologram"],
                "rate_plan": "standard",
            }
        ]

    def test_raise_an_alarm_for_a_whole_card(self, caller, wallet):
        ledger.set_terms(
            wallet_id=wallet.pk,
            rate_plan="unheard-of",
            spending_block=None,
            way_forward="",
            cycle_starts_at=None,
            cycle_ends_at=None,
        )

        with capture_logs() as logs:
            response = caller.post("/debits", JOB % (1, ""), key="k")

        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert alarms(logs) == [
            {
                "event": "rate_card_missing",
                "log_level": "error",
                "rate_plan": "unheard-of",
            }
        ]


def item(key):
    return {"account": ACCOUNT, "lines": LINES, "key": key}


def alarms(logs):
    return [entry for entry in logs if entry["event"].startswith("rate_")]
