"""Grants sent at once do what the same grants do one by one (R79, R109)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credits import audits, ledger
from credits.models import CreditGrant, GrantDraw, GrantSource, Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db

WALLETS = 4
LATER = NOW + timedelta(days=2)


@dataclass(frozen=True)
class Past:
    """What a wallet has been through: a grant that may be due, and a debt."""

    lifetime: timedelta | None
    owes: int


@dataclass(frozen=True)
class Asked:
    """A command, but for the wallet that it is for."""

    wallet: int
    source: GrantSource
    credits: int
    key: str
    lifetime: timedelta | None


PASTS = st.builds(
    Past,
    lifetime=st.sampled_from([None, timedelta(days=1), timedelta(days=9)]),
    owes=st.sampled_from([0, 0, 7]),
)
# Few keys, so that they repeat: with the same content and with another.
COMMANDS = st.builds(
    Asked,
    wallet=st.integers(0, WALLETS),
    source=st.sampled_from([GrantSource.PLAN, GrantSource.PURCHASE]),
    credits=st.integers(1, 3).map(lambda number: 5 * number),
    key=st.sampled_from("abc"),
    lifetime=st.sampled_from([None, timedelta(days=1), timedelta(days=30)]),
)


class TestGrantBatch:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        pasts=st.lists(PASTS, min_size=WALLETS, max_size=WALLETS),
        asked=st.lists(COMMANDS, min_size=1, max_size=8),
    )
    def test_equals_one_by_one(self, pasts, asked):
        with transaction.atomic():
            at_once, one_by_one = twins(pasts), twins(pasts)

            batch = ledger.grant_batch(commands(at_once, asked), at=LATER)
            single = [
                ledger.grant_batch([command], at=LATER)[0]
                for command in commands(one_by_one, asked)
            ]

            assert list(map(told, batch)) == list(map(told, single))
            assert list(map(state, at_once)) == list(map(state, one_by_one))
            assert ledger_findings() == []
            transaction.set_rollback(True)

    def test_answers_in_the_order_asked(self):
        wallets = [make_wallet() for _ in range(3)]
        asked = [
            command(wallet, Asked(0, GrantSource.PLAN, number + 1, "a", None))
            for number, wallet in enumerate(reversed(wallets))
        ]

        granted = ledger.grant_batch(asked, at=NOW)

        assert [one.balance_after for one in granted] == [1, 2, 3]

    def test_from_the_future_grants_nothing_to_anybody(self):
        good, bad = make_wallet(), make_wallet()
        plan = Asked(0, GrantSource.PLAN, 5, "a", None)
        early = replace(command(bad, plan), effective_at=LATER)

        with pytest.raises(Exception, match="in the future"), transaction.atomic():
            ledger.grant_batch([command(good, plan), early], at=NOW)

        assert not CreditGrant.objects.exists()


def ledger_findings() -> list[audits.Finding]:
    # Whether somebody paid is billing's question; here nobody did.
    return [one for one in audits.verify() if not one.check.startswith(("I5", "I10"))]


def twins(pasts) -> list[Wallet]:
    return [lived(past) for past in pasts]


def lived(past: Past) -> Wallet:
    wallet = make_wallet(make_account(), {"first": (10, past.lifetime)})
    if past.owes:
        ledger.record_debt(
            wallet_id=wallet.pk,
            credits=past.owes,
            idempotency_key="owes",
            reason="refunded",
            actor="test",
            at=NOW,
        )
    return wallet


def commands(wallets, asked) -> list[ledger.Grant]:
    # One number more than there are wallets: a wallet that does not exist.
    return [
        command(wallets[one.wallet] if one.wallet < WALLETS else None, one)
        for one in asked
    ]


def command(wallet: Wallet | None, one: Asked) -> ledger.Grant:
    wallet_id = wallet.pk if wallet else 0
    return ledger.Grant(
        wallet_id=wallet_id,
        source=one.source,
        source_key=f"{wallet_id}:{one.key}",
        credits=one.credits,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=NOW + one.lifetime if one.lifetime else None,
        actor="test",
    )


def told(outcome):
    """An outcome as its caller can tell it from another."""
    if isinstance(outcome, ledger.Granted):
        return (outcome.balance_after, outcome.is_replay)
    return type(outcome)


def state(wallet):
    """Everything that commands can have changed."""
    wallet.refresh_from_db()
    draws = GrantDraw.objects.filter(wallet_id=wallet.pk)
    facts = ("source", "granted", "remaining", "is_open", "expires_at", "effective_at")
    steps = ("seq", "kind", "credits", "debt", "balance_after", "occurred_at", "actor")
    drawn = ("entry__seq", "position", "credits", "remaining_after")
    return (
        (wallet.balance, wallet.debt, wallet.seq, wallet.next_expiry_at),
        list(wallet.entries.order_by("seq").values_list(*steps)),
        list(wallet.grants.order_by("pk").values_list(*facts)),
        list(draws.order_by("entry__seq", "position").values_list(*drawn)),
    )
