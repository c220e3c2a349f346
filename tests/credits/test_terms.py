"""What billing says about a wallet: when plans end, and until when it may be spent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from credits import audits, ledger, statements
from credits.models import (
    CreditGrant,
    Freeze,
    GrantSource,
    LedgerEntry,
    SpendingBlock,
    Wallet,
)
from tests.conftest import NOW
from tests.credits.correcting import hold
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
LEDGER_CHECKS = ("I1 ", "I2 ", "I3 ", "I4 ")


def say(wallet, **dates) -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
        **dates,
    )


def grant(wallet, source, *, at=NOW, expires_at=None, credits=50) -> CreditGrant:
    granted = ledger.grant(
        wallet_id=wallet.pk,
        source=source,
        source_key=f"{source} {at}",
        credits=credits,
        cost_basis_cents=0,
        effective_at=at,
        expires_at=expires_at,
        actor="test",
        at=at,
    )
    return CreditGrant.objects.get(pk=granted.grant_id)


def balance(wallet, *, at) -> int:
    return statements.balance_of(wallet.pk, at=at).posted


class TestPlanEnd:
    @pytest.mark.parametrize(
        "source", [one for one in GrantSource if one != GrantSource.PACK]
    )
    def test_ends_what_plans_gave_and_nothing_else(self, source):
        wallet = make_wallet()
        grant(wallet, source)
        say(wallet, plan_ends_at=NOW + DAY)

        is_from_plan = source in {GrantSource.PLAN, GrantSource.UPGRADE}

        assert balance(wallet, at=NOW + DAY - MOMENT) == 50
        assert balance(wallet, at=NOW + DAY) == (0 if is_from_plan else 50)

    def test_is_found_by_the_sweeper(self):
        wallet = make_wallet(grants={"a": (10, None)})
        say(wallet, plan_ends_at=NOW + DAY)

        assert ledger.expire_due(limit=9, at=NOW + DAY - MOMENT) == 0
        assert ledger.expire_due(limit=9, at=NOW + 9 * DAY) == 1

        entry = LedgerEntry.objects.get(kind="EXPIRE")
        assert (entry.credits, entry.occurred_at) == (-10, NOW + DAY)

    def test_leaves_what_was_bought(self):
        wallet = make_wallet(grants={"a": (10, None)})
        grant(wallet, GrantSource.PURCHASE)
        say(wallet, plan_ends_at=NOW + DAY)

        ledger.expire_due(limit=9, at=NOW + DAY)

        assert balance(wallet, at=NOW + DAY) == 50

    def test_ends_what_was_given_at_its_very_instant(self):
        wallet = make_wallet()
        grant(wallet, GrantSource.PLAN, at=NOW + DAY)
        say(wallet, plan_ends_at=NOW + DAY)

        ledger.expire_due(limit=9, at=NOW + DAY)

        assert balance(wallet, at=NOW + DAY) == 0

    def test_leaves_an_earlier_date_alone(self):
        wallet = make_wallet(grants={"a": (10, DAY)})
        say(wallet, plan_ends_at=NOW + 5 * DAY)

        ledger.expire_due(limit=9, at=NOW + 9 * DAY)

        assert LedgerEntry.objects.get(kind="EXPIRE").occurred_at == NOW + DAY

    def test_comes_before_a_job_that_lapses_with_it(self):
        """R70: what the job held was not free to end, and lives its 72 hours."""
        wallet = make_wallet(grants={"a": (10, None)})
        hold(wallet, 4)
        say(wallet, plan_ends_at=NOW + DAY)

        ledger.expire_due(limit=9, at=NOW + DAY)

        assert balance(wallet, at=NOW + DAY) == 4

    def test_spares_what_the_next_plan_gives(self):
        """R60: a plan that begins when the other one has ended."""
        wallet = make_wallet()
        say(wallet, plan_ends_at=NOW)

        grant(wallet, GrantSource.PLAN, at=NOW)

        assert balance(wallet, at=NOW + DAY) == 50

    def test_said_again_happens_once(self):
        """What a failed job gave back after the end lives its 72 hours (R70)."""
        wallet = make_wallet(grants={"a": (10, None)})
        say(wallet, plan_ends_at=NOW + DAY)
        held = ledger.hold(
            wallet_id=wallet.pk,
            credits=4,
            rate_version=1,
            idempotency_key="job",
            actor="test",
            at=NOW + DAY - MOMENT,
        )
        ledger.release(
            hold_id=held.hold_id,
            is_our_failure=True,
            idempotency_key="gone",
            actor="test",
            at=NOW + DAY + MOMENT,
        )

        say(wallet, plan_ends_at=NOW + DAY)

        assert balance(wallet, at=NOW + 2 * DAY) == 4
        assert balance(wallet, at=NOW + 5 * DAY) == 0

    def test_ends_what_a_dispute_had_stopped(self):
        wallet = make_wallet()
        disputed = grant(wallet, GrantSource.PLAN, expires_at=NOW + 2 * DAY)
        ledger.freeze(
            grant_id=disputed.pk,
            freeze=Freeze.DISPUTE,
            idempotency_key="dispute",
            actor="test",
            reason="disputed",
            at=NOW,
        )
        say(wallet, plan_ends_at=NOW + 5 * DAY)

        assert balance(wallet, at=NOW + 5 * DAY - MOMENT) == 50
        assert balance(wallet, at=NOW + 5 * DAY) == 0
        findings = [f for f in audits.verify() if f.check.startswith(LEDGER_CHECKS)]
        assert findings == []

    def test_is_the_expiry_that_is_shown_and_drawn_by(self):
        wallet = make_wallet()
        plan = grant(wallet, GrantSource.PLAN, expires_at=NOW + 9 * DAY)
        promo = grant(wallet, GrantSource.PROMO, expires_at=NOW + 5 * DAY)
        say(wallet, plan_ends_at=NOW + DAY)

        shown = statements.balance_of(wallet.pk, at=NOW).grants
        ledger.spend(job(wallet, 1), at=NOW)

        assert [(view.id, view.expires_at) for view in shown] == [
            (plan.pk, NOW + DAY),
            (promo.pk, NOW + 5 * DAY),
        ]
        plan.refresh_from_db()
        assert plan.remaining == 49


class TestSpendsUntil:
    @pytest.mark.parametrize(
        ("plan_ends_at", "block"),
        [
            (NOW + DAY, SpendingBlock.NO_PAID_PLAN),
            (None, SpendingBlock.PAYMENT_OVERDUE),
        ],
    )
    def test_blocks_debits_and_holds_from_its_instant_on(self, plan_ends_at, block):
        wallet = make_wallet()
        grant(wallet, GrantSource.PURCHASE)
        say(wallet, plan_ends_at=plan_ends_at, spends_until=NOW + DAY)
        wallet.refresh_from_db()

        ledger.spend(job(wallet, 1), at=NOW + DAY - MOMENT)
        with pytest.raises(ledger.SpendingBlocked) as refusal:
            ledger.spend(job(wallet, 1), at=NOW + DAY)
        with pytest.raises(ledger.SpendingBlocked):
            ledger.hold(
                wallet_id=wallet.pk,
                credits=1,
                rate_version=1,
                idempotency_key="job",
                actor="test",
                at=NOW + DAY,
            )

        assert refusal.value.block == block == wallet.block_at(NOW + DAY)
        assert wallet.block_at(NOW + DAY - MOMENT) is None


class TestSetCycles:
    def test_tells_many_wallets_at_once(self):
        wallets = [make_wallet() for _ in range(3)]

        ledger.set_cycles({wallet.pk: (NOW, NOW + DAY) for wallet in wallets})

        told = Wallet.objects.filter(cycle_starts_at=NOW, cycle_ends_at=NOW + DAY)
        assert told.count() == 3

    def test_never_goes_back(self):
        wallet = make_wallet()
        ledger.set_cycles({wallet.pk: (NOW, NOW + DAY)})

        ledger.set_cycles({wallet.pk: (NOW - DAY, NOW)})

        wallet.refresh_from_db()
        assert wallet.cycle_starts_at == NOW


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_the_database_knows_no_plan_that_is_over_without_an_end():
    wallet = make_wallet()

    with (
        pytest.raises(IntegrityError, match="wallet_facts"),
        transaction.atomic(using="owner"),
        connections["owner"].cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE credits_wallet SET plan_is_over = true WHERE id = %s", [wallet.pk]
        )
