"""What webhooks tell of: kept with the fact, for whoever listens."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.models import OutgoingKind, OutgoingMessage
from billing.outgoing import endpoints, facts
from credits import alerting, alerts, ledger
from credits.models import GrantSource, Wallet
from tests.billing.backends import send_all
from tests.billing.conftest import on_plan
from tests.billing.plans import DAY, Plans
from tests.conftest import NOW
from tests.factories import job, make_account, make_user, make_wallet

pytestmark = pytest.mark.django_db


class TestFacts:
    def test_of_credits_that_were_granted(self, backend, endpoint, offered):
        account = on_plan("business")
        send_all()

        [granted] = [
            body for body in backend.bodies() if body["type"] == "credits.granted"
        ]
        assert granted == {
            "type": "credits.granted",
            "timestamp": NOW.isoformat(),
            "data": {
                "account": account.public_id,
                "unit": "CREDITS",
                "source": "PLAN",
                "credits": 1_500,
                "balance": 1_500,
                "expires_at": "2026-05-10T12:00:00+00:00",
            },
        }

    def test_are_kept_with_what_happened_or_not_at_all(self, endpoint):
        wallet = make_wallet()
        with transaction.atomic():
            grant(wallet)
            assert OutgoingMessage.objects.count() == 1
            transaction.set_rollback(True)

        assert not OutgoingMessage.objects.exists()
        grant(wallet)
        grant(wallet)  # a repetition
        assert OutgoingMessage.objects.count() == 1

    def test_of_a_balance_below_a_threshold(self, backend, endpoint):
        wallet = make_wallet(grants={"plan": (100, 30 * DAY)})
        alerts.change(
            wallet=wallet,
            thresholds=[500, 200],
            expiry_days=[],
            emails=[],
            by=make_user(),
            at=NOW,
        )
        alerting.raise_low_balances([wallet.pk], at=NOW)
        send_all()

        assert backend.bodies()[-1]["type"] == "balance.low"
        assert backend.bodies()[-1]["data"] == {
            "account": wallet.account.public_id,
            "available": 100,
            "threshold": 200,
        }

    def test_of_a_balance_that_is_used_up_once_for_each_grant(self, backend, endpoint):
        wallet = make_wallet(grants={"plan": (100, 30 * DAY)})
        assert facts.tell_used_up(limit=9, at=NOW) == 0
        ledger.spend(job(wallet, 100), at=NOW)

        assert [facts.tell_used_up(limit=9, at=NOW) for _ in range(2)] == [1, 0]
        grant(wallet)
        ledger.spend(job(wallet, 50), at=NOW)

        assert [facts.tell_used_up(limit=9, at=NOW) for _ in range(2)] == [1, 0]

    def test_of_a_plan_as_it_begins_changes_and_ends(self, backend, endpoint, wire):
        plans, account = Plans(wire), make_account()
        subscription = plans.subscribe(account, "creator")
        wire.client().v1.subscriptions.cancel(subscription.stripe_subscription_id)
        plans.hear()
        send_all()

        told = [body for body in backend.bodies() if body["type"] == "plan.changed"]
        assert [one["data"]["plan"] for one in told] == ["creator", "free"]
        assert {one["data"]["account"] for one in told} == {account.public_id}

    def test_of_other_kinds_are_not_told(self, backend):
        endpoints.add(
            url=backend.url, kinds=[OutgoingKind.PLAN_CHANGED], by=None, at=NOW
        )

        grant(make_wallet())

        assert not OutgoingMessage.objects.exists()

    def test_cost_one_query_when_nobody_listens(self, django_assert_num_queries):
        wallet = make_wallet()

        with django_assert_num_queries(2):
            grant(wallet)


def grant(wallet: Wallet) -> None:
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PROMO,
        source_key=f"promo:{wallet.pk}",
        credits=50,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=None,
        actor="test",
        at=NOW,
    )
