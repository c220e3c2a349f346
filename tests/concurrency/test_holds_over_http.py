"""The same request to hold, charge or release, 16 times at once: one effect."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from threading import local

import pytest
from django.test import Client

from accounts import keys
from accounts.models import Scope
from config.clock import now
from credits import audits, quoting, rate_cards
from credits.models import Hold, LedgerEntry, Wallet
from tests.concurrency.racing import race
from tests.factories import make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

THREADS = 16
LOOKS = [{"feature": "look", "quantity": 5}]


class Poster:
    """Sends requests from many threads, each with a client of its own."""

    def __init__(self):
        issued = keys.issue(name="Renderer", scopes=tuple(Scope), at=now())
        self._authorization = f"Bearer {issued.secret}"
        self._callers = local()

    def __call__(self, path, body, *, key):
        if not hasattr(self._callers, "client"):
            self._callers.client = Client()
        return self._callers.client.post(
            f"/api/v1{path}",
            body,
            content_type="application/json",
            headers={"authorization": self._authorization, "idempotency-key": key},
        )


@pytest.fixture
def wallet(transactional_db) -> Wallet:
    quoting.rate_table.cache_clear()
    for card in rate_cards.read():
        rate_cards.publish(card, at=now())
    return make_wallet(grants={"a": (1_000, None)})


@pytest.fixture
def post(transactional_db) -> Poster:
    return Poster()


def place(post, wallet, key="hold"):
    job = {"account": wallet.account.public_id, "lines": LOOKS}
    return post("/holds", job, key=key)


def at_once(send):
    answers = race(send, rounds=THREADS, threads=THREADS)
    assert audits.verify() == []
    return answers


class TestOneKeyAtOnce:
    def test_places_one_hold(self, post, wallet):
        answers = at_once(lambda _: place(post, wallet))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 15}
        assert len({answer.content for answer in answers}) == 1
        assert Hold.objects.get().credits == 5

    def test_charges_once(self, post, wallet):
        hold = place(post, wallet).json()["hold"]

        answers = at_once(
            lambda _: post(f"/holds/{hold}/capture", {"lines": LOOKS}, key="k")
        )

        assert_one_effect(answers, wallet, kind="CAPTURE")
        assert figures(wallet) == (995, 0)

    def test_releases_once(self, post, wallet):
        hold = place(post, wallet).json()["hold"]

        answers = at_once(
            lambda _: post(f"/holds/{hold}/release", {"cause": "failed"}, key="k")
        )

        assert_one_effect(answers, wallet, kind="RELEASE")
        assert figures(wallet) == (1_000, 0)


class TestManyKeysAtOnce:
    def test_settle_a_hold_once(self, post, wallet):
        hold = place(post, wallet).json()["hold"]

        def settle(n):
            if n % 2:
                return post(f"/holds/{hold}/release", {"cause": "failed"}, key=f"{n}")
            return post(f"/holds/{hold}/capture", {"lines": LOOKS}, key=f"{n}")

        answers = at_once(settle)

        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 15}
        assert Wallet.objects.get(pk=wallet.pk).held == 0

    def test_charge_a_lapsed_hold_once(self, post, wallet, monkeypatch):
        hold = place(post, wallet).json()["hold"]
        tomorrow = now() + timedelta(days=1)
        monkeypatch.setattr("django.utils.timezone.now", lambda: tomorrow)

        answers = at_once(
            lambda n: post(f"/holds/{hold}/capture", {"lines": LOOKS}, key=f"{n}")
        )

        assert_one_effect(answers, wallet, kind="SPEND")
        assert figures(wallet) == (995, 0)


def assert_one_effect(answers, wallet, *, kind) -> None:
    replays = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert Counter(answer.status_code for answer in answers) == {200: 16}
    assert Counter(replays) == {None: 1, "true": 15}
    assert len({answer.content for answer in answers}) == 1
    assert LedgerEntry.objects.filter(wallet=wallet, kind=kind).count() == 1


def figures(wallet) -> tuple[int, int]:
    wallet.refresh_from_db()
    return wallet.balance, wallet.held
