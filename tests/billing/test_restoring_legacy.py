"""R35: a legacy plan that ended by an error comes back if two others approve."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEvent
from billing import adjusting
from billing.adjusting import AdjustmentRefused, Draft, restoring
from billing.models import AdjustmentKind, AdjustmentState, Subscription
from billing.plans import subscribing
from credits import ledger
from tests.billing.adjustments import make_admin, propose
from tests.billing.legacies import bring_in, end_row, on_legacy, premium_of
from tests.conftest import NOW
from tests.factories import job, make_account

REVIVE = "UPDATE billing_subscription SET ended_at = NULL, status = 'ACTIVE'"


@pytest.fixture
def lost(offered):
    """An account whose legacy plan was ended, by an error."""
    account = on_legacy(make_account())
    assert bring_in(end_row(account)).errors == ()
    return account


@pytest.fixture
def ada(db):
    return make_admin("ada@example.com")


def draft_for(account) -> Draft:
    return Draft(
        account,
        AdjustmentKind.RESTORE_LEGACY,
        subscription_id=account.subscriptions.get().pk,
    )


class TestRestoreLegacy:
    def test_needs_two_others(self, lost, ada):
        proposed = propose(draft_for(lost), ada)

        first = adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        assert (proposed.approvals_needed, first.state) == (2, "PROPOSED")
        assert subscribing.live_subscription(lost.pk) is None

    def test_gives_the_plan_back_and_its_credits_are_usable(self, lost, ada):
        proposed = propose(draft_for(lost), ada)
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        made = adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        assert made.state == AdjustmentState.MADE
        live = subscribing.live_subscription(lost.pk)
        assert (live.status, live.plan_version.plan.family) == ("ACTIVE", "LEGACY")
        assert ledger.spend(job(premium_of(lost), credits=1), at=NOW).credits == 1
        assert AuditEvent.objects.filter(action="adjustment.made").count() == 1

    def test_does_not_count_one_person_twice(self, lost, ada):
        proposed, grace = propose(draft_for(lost), ada), make_admin()
        adjusting.approve(proposed.pk, by=grace, at=NOW)

        with pytest.raises(AdjustmentRefused, match="one more person"):
            adjusting.approve(proposed.pk, by=grace, at=NOW)

    def test_is_not_offered_while_there_is_a_plan(self, offered, ada):
        account = on_legacy(make_account())

        assert restoring.restorable(account.pk) is None

    def test_is_not_done_once_there_is_a_plan_again(self, lost, ada):
        proposed = propose(draft_for(lost), ada)
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)
        Subscription.objects.create(
            account=lost,
            plan_version=subscribing.catalogue.plan_in_force("creator", at=NOW),
            interval="MONTH",
            status="ACTIVE",
            anchor_at=NOW,
        )

        with pytest.raises(AdjustmentRefused, match="cannot be given back"):
            adjusting.approve(proposed.pk, by=make_admin(), at=NOW)


class TestDatabase:
    def refuses(self):
        with (
            pytest.raises(IntegrityError, match="legacy_never_entered"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(REVIVE)

    def test_refuses_without_an_adjustment(self, lost):
        self.refuses()

    def test_refuses_before_the_second_approval(self, lost, ada):
        proposed = propose(draft_for(lost), ada)
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        self.refuses()

    def test_refuses_a_second_return_by_one_adjustment(self, lost, ada):
        proposed = propose(draft_for(lost), ada)
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)
        assert bring_in(end_row(lost)).errors == ()

        self.refuses()
