"""Who adjusts alone, who else agrees, and how it is explained."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, StaffLimit
from billing import adjusting
from billing.adjusting import AdjustmentRefused, DecidedBefore, Why
from billing.finance import months
from billing.models import AdjustmentState, ReasonCode
from credits import ledger
from tests.billing.adjustments import (
    DAY,
    WHY,
    add,
    adjust,
    fresh,
    make_admin,
    propose,
    remove,
)
from tests.conftest import NOW
from tests.factories import job

pytestmark = pytest.mark.django_db


class TestLimits:
    def test_of_the_settings_hold_for_everybody(self, wallet, ada):
        assert propose(add(wallet.account, 500), ada).approvals_needed == 0
        assert propose(add(wallet.account, 501), ada).approvals_needed == 1

    def test_of_ones_own_go_before(self, wallet, ada):
        StaffLimit.objects.create(user=ada, per_adjustment=10, per_day=20)

        assert propose(add(wallet.account, 11), ada).approvals_needed == 1

    def test_of_a_day_count_what_was_done_alone(self, wallet, ada):
        StaffLimit.objects.create(user=ada, per_adjustment=10, per_day=20)
        adjust(add(wallet.account, 8), ada)
        adjust(remove(wallet.account, 8), ada)

        assert adjusting.room(ada, at=NOW) == 4
        assert adjusting.room(ada, at=NOW + DAY) == 10

    def test_do_not_count_what_others_approve(self, wallet, ada):
        propose(add(wallet.account, 501), ada)

        assert adjusting.room(ada, at=NOW) == 500


class TestApprove:
    @pytest.fixture
    def proposed(self, wallet, ada):
        return propose(add(wallet.account, 600), ada)

    def test_makes_it(self, wallet, proposed, grace):
        made = adjusting.approve(proposed.pk, by=grace, at=NOW)

        assert (made.state, made.decided_by) == (AdjustmentState.MADE, grace)
        assert fresh(wallet).balance == 680

    def test_of_ones_own_is_refused(self, wallet, proposed, ada):
        with pytest.raises(AdjustmentRefused, match="somebody else"):
            adjusting.approve(proposed.pk, by=ada, at=NOW)

        assert fresh(wallet).balance == 80

    def test_cannot_be_gone_round_by_making_it(self, wallet, proposed):
        with pytest.raises(AdjustmentRefused, match="has to approve"):
            adjusting.make(proposed.pk, at=NOW)

        assert fresh(wallet).balance == 80

    def test_twice_has_one_effect(self, wallet, proposed, grace):
        adjusting.approve(proposed.pk, by=grace, at=NOW)

        with pytest.raises(DecidedBefore):
            adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        assert fresh(wallet).balance == 680

    def test_of_what_is_not_there_decides_nothing(self, wallet, ada, grace):
        taken = propose(remove(wallet.account, 70), ada, needs_approval=True)
        ledger.spend(job(wallet, credits=20), at=NOW)

        with pytest.raises(AdjustmentRefused, match="fewer than 70"):
            adjusting.approve(taken.pk, by=grace, at=NOW)

        taken.refresh_from_db()
        assert (taken.state, taken.decided_by) == (AdjustmentState.PROPOSED, None)

    def test_is_written_down_with_before_and_after(self, proposed, grace):
        adjusting.approve(proposed.pk, by=grace, at=NOW)

        made = AuditEvent.objects.get(action="adjustment.made")
        assert (made.actor, made.target) == (grace.email, proposed.public_id)
        assert (made.before["balance"], made.after["balance"]) == (80, 680)
        assert made.reason == WHY.comment


class TestReject:
    def test_says_why_and_moves_nothing(self, wallet, ada, grace):
        proposed = propose(add(wallet.account, 600), ada)

        adjusting.reject(proposed.pk, by=grace, reason="Too much", at=NOW)

        proposed.refresh_from_db()
        assert (proposed.state, proposed.decision_reason) == ("REJECTED", "Too much")
        assert fresh(wallet).balance == 80

    def test_is_not_for_its_maker_who_withdraws(self, wallet, ada):
        proposed = propose(add(wallet.account, 600), ada)

        with pytest.raises(AdjustmentRefused, match="withdraw"):
            adjusting.reject(proposed.pk, by=ada, reason="No", at=NOW)

        assert adjusting.withdraw(proposed.pk, by=ada, at=NOW).state == "WITHDRAWN"

    def test_withdrawing_is_for_its_maker_alone(self, wallet, ada, grace):
        proposed = propose(add(wallet.account, 600), ada)

        with pytest.raises(AdjustmentRefused, match="Only who proposed"):
            adjusting.withdraw(proposed.pk, by=grace, at=NOW)


class TestExplaining:
    def test_too_briefly_is_refused(self, wallet, ada):
        why = Why(ReasonCode.OTHER, "Because   ")

        with pytest.raises(AdjustmentRefused, match="at least 10 characters"):
            propose(add(wallet.account, 5), ada, why=why)

    def test_by_a_month_that_is_open_is_refused(self, wallet, ada):
        why = Why(
            ReasonCode.CORRECTION, "Counted twice", regards=months.parse("2026-03")
        )

        with pytest.raises(AdjustmentRefused, match="March 2026 is open"):
            propose(add(wallet.account, 5), ada, why=why)
