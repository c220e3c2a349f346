"""Commands sent at once do what the same commands do one by one (R109)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credits import audits, ledger
from credits.models import GrantDraw, UsageLine, Wallet
from tests.conftest import NOW
from tests.factories import make_account, make_wallet, remaining

pytestmark = pytest.mark.django_db

WALLETS = 2

LIFETIMES = st.sampled_from([None, timedelta(days=1), timedelta(days=9)])
GRANTS = st.lists(st.tuples(st.integers(1, 20), LIFETIMES), max_size=4)


@dataclass(frozen=True)
class Job:
    """A command, but for the wallet that it is for."""

    wallet: int
    credits: int
    key: str
    reference: str


# Few keys, so that they repeat: with the same content and with another.
JOBS = st.lists(
    st.builds(
        Job,
        wallet=st.integers(0, WALLETS),
        credits=st.integers(0, 12),
        key=st.sampled_from("abcdefgh"),
        reference=st.sampled_from(["", "job"]),
    ),
    min_size=1,
    max_size=25,
)


class TestBatch:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(grants=st.lists(GRANTS, min_size=WALLETS, max_size=WALLETS), jobs=JOBS)
    def test_equals_one_by_one(self, grants, jobs):
        with transaction.atomic():
            at_once, one_by_one = wallets(grants), wallets(grants)

            batch = ledger.spend_batch([command(at_once, job) for job in jobs], at=NOW)
            single = [spend(command(one_by_one, job)) for job in jobs]

            assert list(map(told, batch)) == list(map(told, single))
            assert list(map(state, at_once)) == list(map(state, one_by_one))
            assert audits.verify() == []
            transaction.set_rollback(True)


def wallets(grants) -> list[Wallet]:
    return [
        make_wallet(make_account(), {f"{n}": grant for n, grant in enumerate(some)})
        for some in grants
    ]


def command(twins, job: Job) -> ledger.Spend:
    # One number more than there are wallets: a wallet that does not exist.
    wallet_id = twins[job.wallet].pk if job.wallet < WALLETS else 0
    return ledger.Spend(
        wallet_id=wallet_id,
        lines=(ledger.UsedLine("look", job.credits or 1, 1, job.credits),),
        idempotency_key=job.key,
        actor="test",
        reference=job.reference,
    )


def spend(command):
    try:
        return ledger.spend(command, at=NOW)
    except ledger.CreditsError as refusal:
        return refusal


def told(outcome):
    """An outcome as its caller can tell it from another."""
    if isinstance(outcome, ledger.Spent):
        return replace(outcome, entry_id=0)
    return (type(outcome), str(outcome))


def state(wallet):
    """Everything that commands can have changed."""
    wallet.refresh_from_db()
    entries = wallet.entries.order_by("seq")
    draws = GrantDraw.objects.filter(wallet_id=wallet.pk).order_by(
        "entry__seq", "position"
    )
    lines = UsageLine.objects.filter(wallet_id=wallet.pk).order_by("entry__seq")
    return (
        (wallet.balance, wallet.seq, wallet.held, remaining(wallet)),
        list(entries.values_list("seq", "kind", "credits", "balance_after")),
        list(draws.values_list("entry__seq", "position", "credits", "remaining_after")),
        list(lines.values_list("entry__seq", "feature", "quantity", "credits")),
    )
