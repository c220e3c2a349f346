"""What `verify_ledger` notices about plans and their credits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.models import Cycle, Invoice, PlanPeriod
from billing.plans import catalogue
from credits import audits, ledger
from credits.models import GrantSource, Wallet
from tests.billing.conftest import on_plan
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def found() -> list[str]:
    return [finding.check for finding in audits.verify()]


class TestCycles:
    def test_each_has_its_grant(self, offered):
        on_plan("creator")
        Cycle.objects.update(credits=601)

        assert found() == ["I5 each granted cycle has its one grant"]

    def test_each_grant_of_one_belongs_to_a_paid_one(self, offered):
        on_plan("creator")
        Cycle.objects.update(granted_at=None)

        assert found() == ["I5 each grant of a month has its paid cycle"]

    def test_a_bill_that_is_not_paid_grants_nothing(self, wire):
        Plans(wire).subscribe(make_account(), "creator")
        Invoice.objects.update(status="OPEN", paid_at=None)

        assert found() == ["I5 each grant of a month has its paid cycle"]


class TestBlocks:
    CHECK = "I10 blocks are granted only on plans that sell them"

    @pytest.mark.parametrize(("after", "is_fine"), [(-DAY, False), (DAY, True)])
    def test_belong_to_the_version_of_their_time(self, offered, after, is_fine):
        """The plan became Business within a cycle, ten days ago."""
        account = on_plan("creator", anchor_at=NOW - 20 * DAY)
        subscription = account.subscriptions.get()
        PlanPeriod.objects.create(
            subscription=subscription,
            plan_version=catalogue.plan_in_force("business", at=NOW),
            starts_at=NOW - 10 * DAY,
        )
        ledger.grant(
            wallet_id=Wallet.objects.get(account=account).pk,
            source=GrantSource.RELOAD,
            source_key="reload",
            credits=100,
            cost_basis_cents=500,
            effective_at=NOW - 10 * DAY + after,
            expires_at=None,
            actor="test",
            at=NOW,
        )

        assert (self.CHECK not in found()) is is_fine
