"""Jobs that ran in the last cycle and are reported in this one (R20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credits import audits, ledger, rate_cards
from credits.models import GrantSource, Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_wallet, remaining

pytestmark = pytest.mark.usefixtures("rates")

MIN_12_S = [{"feature": "avatar-iv", "quantity": 72_000}]
NEXT_CYCLE = NOW + timedelta(hours=12)
REPORTED = NOW + timedelta(hours=18)
RAN = "2026-03-10T23:00:00Z"  # an hour before the cycle's end


@pytest.fixture
def wallet(db) -> Wallet:
    """Credits of the last cycle; those of this one come with dearer rates."""
    return make_wallet(make_account(), {"last cycle": (100, timedelta(hours=12))})


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def begin_cycle(wallet, clock) -> None:
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PLAN,
        source_key=f"{wallet.pk}:this cycle",
        credits=100,
        cost_basis_cents=0,
        effective_at=NEXT_CYCLE,
        expires_at=None,
        actor="test",
        at=NEXT_CYCLE,
    )
    card, *_ = rate_cards.read()
    dearer = tuple(replace(line, credits=2 * line.credits) for line in card.lines)
    second = replace(card, version=2, starts_at=NEXT_CYCLE, lines=dearer)
    rate_cards.publish(second, at=NOW)
    clock.at = REPORTED


def debit(caller, wallet, key="k", **members):
    body = {"account": wallet.account.public_id, "lines": MIN_12_S, **members}
    return caller.post("/debits", body, key=key)


class TestWithAHold:
    def test_is_charged_to_what_it_held_at_the_rates_of_then(
        self, caller, wallet, clock
    ):
        body = {"account": wallet.account.public_id, "lines": MIN_12_S}
        hold = caller.post("/holds", body, key="hold").json()["hold"]
        begin_cycle(wallet, clock)

        answer = caller.post(
            f"/holds/{hold}/capture", {"lines": MIN_12_S}, key="capture"
        ).json()

        assert (answer["credits"], answer["rate_version"]) == (24, 1)
        assert remaining(wallet) == {"last cycle": 0, "this cycle": 100}
        assert audits.verify() == []


class TestWithoutAHold:
    def test_is_charged_now_at_the_rates_of_then(self, caller, wallet, clock):
        begin_cycle(wallet, clock)

        response = debit(caller, wallet, ran_at=RAN)

        answer = response.json()
        assert response.status_code == 201
        assert (answer["credits"], answer["rate_version"]) == (24, 1)
        assert answer["occurred_at"] == "2026-03-11T06:00:00Z"
        assert remaining(wallet) == {"last cycle": 0, "this cycle": 76}
        assert audits.verify() == []

    def test_is_charged_at_the_rates_of_now_if_it_does_not_say(
        self, caller, wallet, clock
    ):
        begin_cycle(wallet, clock)

        answer = debit(caller, wallet).json()

        assert (answer["credits"], answer["rate_version"]) == (48, 2)

    @pytest.mark.parametrize(
        ("ran_at", "version"),
        [
            ("2026-03-10T23:59:59.999999Z", 1),
            ("2026-03-11T00:00:00Z", 2),
            ("2026-03-11T01:59:00+02:00", 1),
            ("2099-01-01T00:00:00Z", 2),
        ],
    )
    def test_has_the_rates_of_its_instant(self, caller, wallet, clock, ran_at, version):
        """From its start a card is in force (R5); what is ahead of us is now."""
        begin_cycle(wallet, clock)

        answer = debit(caller, wallet, ran_at=ran_at).json()

        assert answer["rate_version"] == version

    def test_finds_its_rates_in_a_batch_too(self, caller, wallet, clock):
        begin_cycle(wallet, clock)
        item = {"account": wallet.account.public_id, "lines": MIN_12_S}
        items = [{**item, "key": "a", "ran_at": RAN}, {**item, "key": "b"}]

        results = caller.post("/debits/batch", {"items": items}).json()["results"]

        assert [one["credits"] for one in results] == [24, 48]

    def test_is_told_again_and_not_for_another_time(self, caller, wallet, clock):
        begin_cycle(wallet, clock)
        first = debit(caller, wallet, ran_at=RAN)

        again = debit(caller, wallet, ran_at=RAN)
        other = debit(caller, wallet, ran_at="2026-03-10T22:00:00Z")

        assert (again.status_code, again.content) == (200, first.content)
        assert other.status_code == 409

    @pytest.mark.parametrize(
        "ran_at",
        ["2019-12-31T23:59:59Z", "2026-03-10T23:00:00", "2026-03-10", "1", 1, "soon"],
    )
    def test_names_a_time_without_rates_or_without_sense(
        self, caller, wallet, clock, ran_at
    ):
        """The first card begins with 2020; a time without a zone is nobody's."""
        begin_cycle(wallet, clock)

        response = debit(caller, wallet, ran_at=ran_at)

        [error] = response.json()["errors"]
        assert (response.status_code, error["pointer"]) == (422, "#/ran_at")
        assert remaining(wallet) == {"last cycle": 0, "this cycle": 100}
