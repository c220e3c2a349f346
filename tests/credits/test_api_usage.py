"""GET /accounts/{account}/usage: sums of usage lines that equal the ledger (R110)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum

from accounts.models import Role
from credits import ledger
from credits.models import LedgerEntry, Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}
DAY = timedelta(days=1)


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(make_account("Northwind"), {"a": (1_000, None)})


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


@pytest.fixture
def _used(rates, caller, wallet, clock):
    """Two days of looks and scenes, a charge above its hold, and one given back."""
    ann = make_member(wallet.account, Role.MEMBER, "ann@northwind.example").email
    debit(caller, wallet, "a", "look", 5, member=ann)
    debit(caller, wallet, "b", "avatar-iv", 72_000)
    clock.advance(DAY)
    debit(caller, wallet, "c", "look", 7)
    hold = caller.post("/holds", job(wallet, "look", 10), key="d").json()["hold"]
    more = {"lines": [{"feature": "look", "quantity": 12}]}
    caller.post(f"/holds/{hold}/capture", more, key="e")
    entry = LedgerEntry.objects.get(idempotency_key="api:c")
    ledger.reverse(
        entry_id=entry.pk,
        idempotency_key="f",
        actor="test",
        reason="",
        credits=3,
        at=clock.at,
    )


def job(wallet, feature, quantity, **members):
    lines = [{"feature": feature, "quantity": quantity}]
    return {"account": wallet.account.public_id, "lines": lines, **members}


def debit(caller, wallet, key, feature, quantity, **members):
    caller.post("/debits", job(wallet, feature, quantity, **members), key=key)


def usage(caller, wallet, **query):
    return caller.get(f"/accounts/{wallet.account.public_id}/usage", **query)


def rows(response) -> dict[str, int]:
    return {row["name"]: row["credits"] for row in response.json()["rows"]}


@pytest.mark.usefixtures("_used")
class TestUsage:
    def test_adds_up_by_feature_the_most_used_first(self, caller, wallet):
        response = usage(caller, wallet, **MARCH)

        assert response.json() == {
            "account": wallet.account.public_id,
            "unit": "credits",
            "from": "2026-03-01",
            "to": "2026-04-01",
            "group": "feature",
            "credits": 43,
            "rows": [
                {"name": "avatar-iv", "credits": 24},
                {"name": "look", "credits": 24},
                {"name": "absorbed", "credits": -2},
                {"name": "given-back", "credits": -3},
            ],
        }

    def test_adds_up_by_day(self, caller, wallet):
        response = usage(caller, wallet, **MARCH, group="day")

        assert rows(response) == {"2026-03-10": 29, "2026-03-11": 14}

    def test_adds_up_by_member(self, caller, wallet):
        response = usage(caller, wallet, **MARCH, group="member")

        assert rows(response) == {"": 38, "ann@northwind.example": 5}

    @pytest.mark.parametrize("group", ["day", "feature", "member"])
    def test_equals_the_ledger(self, caller, wallet, group):
        response = usage(caller, wallet, **MARCH, group=group)

        moved = LedgerEntry.objects.filter(kind__in=["SPEND", "CAPTURE", "REVERSE"])
        used = -moved.aggregate(sum=Sum("credits"))["sum"]
        assert sum(rows(response).values()) == response.json()["credits"] == used

    def test_leaves_out_the_last_day(self, caller, wallet):
        first = {"from": "2026-03-10", "to": "2026-03-11"}

        assert usage(caller, wallet, **first).json()["credits"] == 29


class TestSpan:
    def test_may_be_empty(self, caller, wallet):
        answer = usage(caller, wallet, **MARCH).json()

        assert (answer["credits"], answer["rows"]) == (0, [])

    def test_begins_at_midnight_utc(self, caller, wallet, clock):
        clock.at = NOW.replace(day=20, hour=23, minute=59)
        debit(caller, wallet, "a", "look", 1)
        clock.at = NOW.replace(day=21, hour=0)
        debit(caller, wallet, "b", "look", 2)

        days = usage(caller, wallet, **MARCH, group="day")

        assert rows(days) == {"2026-03-20": 1, "2026-03-21": 2}

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ({"from": "2026-03-01"}, "to"),
            ({"from": "yesterday", "to": "2026-03-01"}, "from"),
            ({"from": "0001-01-01", "to": "0001-01-02"}, "from"),
            ({"from": "2026-03-02", "to": "2026-03-02"}, "to"),
            ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
            ({"from": "2026-01-01", "to": "2027-02-06"}, "to"),
            ({**MARCH, "group": "year"}, "group"),
        ],
    )
    def test_is_1_to_400_days(self, caller, wallet, query, name):
        response = usage(caller, wallet, **query)

        assert response.status_code == 422
        assert response.json()["errors"][0]["query"] == name

    def test_of_400_days_is_read_at_once(self, caller, wallet):
        query = {"from": "2026-01-01", "to": "2027-02-05"}

        assert usage(caller, wallet, **query).status_code == 200

    @pytest.mark.parametrize("account", ["foreign", "acc_none"])
    def test_shows_no_other_account(self, caller, account):
        if account == "foreign":
            account = make_wallet().account.public_id

        assert caller.get(f"/accounts/{account}/usage", **MARCH).status_code == 404
