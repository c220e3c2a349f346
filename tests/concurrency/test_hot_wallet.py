"""One wallet, many spenders: nothing is spent twice, nothing is lost."""

from __future__ import annotations

from collections import Counter
from threading import local

import pytest
from django.test import Client

from accounts import keys
from accounts.models import Scope
from config.clock import now
from credits import audits, ledger, rate_cards
from credits.models import LedgerEntry, Wallet
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

THREADS = 32


class TestHotWallet:
    @pytest.mark.parametrize(
        ("credits", "debits"),
        [
            pytest.param(1_500, 2_000),
            pytest.param(7_500, 10_000, marks=pytest.mark.full),
        ],
    )
    def test_spends_exactly_what_there_is(self, credits, debits):
        wallet = make_wallet(grants={"a": (credits // 3, None), "b": (credits, None)})
        ledger.spend(job(wallet, credits=credits // 3), at=NOW)

        outcomes = race(
            lambda n: ledger.spend(job(wallet, credits=1, key=str(n)), at=NOW),
            rounds=debits,
            threads=THREADS,
        )

        assert tally(outcomes) == {
            "Spent": credits,
            "InsufficientCredits": debits - credits,
        }
        assert Wallet.objects.get(pk=wallet.pk).balance == 0
        assert audits.verify() == []


class TestHotWalletOverHttp:
    @pytest.mark.parametrize(
        ("credits", "debits"),
        [
            pytest.param(150, 200),
            pytest.param(7_500, 10_000, marks=pytest.mark.full),
        ],
    )
    def test_spends_exactly_what_there_is(self, credits, debits):
        wallet = make_wallet(grants={"a": (credits, None)})
        post = poster(wallet)

        outcomes = race(lambda n: post(str(n)), rounds=debits, threads=THREADS)

        assert Counter(answer.status_code for answer in outcomes) == {
            201: credits,
            402: debits - credits,
        }
        assert audits.verify() == []


class TestOneKeyAtOnce:
    def test_takes_effect_once(self):
        wallet = make_wallet(grants={"a": (1_000, None)})

        outcomes = race(
            lambda n: ledger.spend(job(wallet, credits=5, key="one"), at=NOW),
            rounds=16 * 20,
            threads=16,
        )

        assert tally(outcomes) == {"Spent": 16 * 20}
        assert sum(not outcome.is_replay for outcome in outcomes) == 1
        assert Wallet.objects.get(pk=wallet.pk).balance == 995

    def test_takes_effect_once_over_http(self):
        wallet = make_wallet(grants={"a": (1_000, None)})
        post = poster(wallet)

        outcomes = race(lambda _: post("one"), rounds=16, threads=16)

        assert Counter(answer.status_code for answer in outcomes) == {201: 1, 200: 15}
        assert len({answer.content for answer in outcomes}) == 1
        assert LedgerEntry.objects.filter(wallet=wallet, kind="SPEND").count() == 1


def poster(wallet):
    """What sends one debit of one credit under a key."""
    for card in rate_cards.read():
        rate_cards.publish(card, at=now())
    issued = keys.issue(name="Renderer", scopes=[Scope.CREDITS_SPEND], at=now())
    body = {
        "account": wallet.account.public_id,
        "lines": [{"feature": "look", "quantity": 1}],
    }

    callers = local()

    def post(key: str):
        # A client loads the middleware when it is made: one for each thread will do.
        if not hasattr(callers, "client"):
            callers.client = Client()
        return callers.client.post(
            "/api/v1/debits",
            body,
            content_type="application/json",
            headers={
                "authorization": f"Bearer {issued.secret}",
                "idempotency-key": key,
            },
        )

    return post
