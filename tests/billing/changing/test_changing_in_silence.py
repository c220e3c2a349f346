"""Changes that Stripe does not answer: found out about, and made once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.changes import arranging
from billing.models import ChangeState, PlanChange
from tests.billing.changes import change, charged, confirm, plan, shown, upgrade_grants
from tests.billing.plans import DAY, HOUR

pytestmark = pytest.mark.django_db


class TestSilence:
    """Stripe gives no answer, or none that arrives: nothing is made twice or lost."""

    def test_before_it_heard_is_made_up_for_by_the_sweeper(
        self, plans, wire, account, bea, on_creator
    ):
        previewed = shown(plans, account, "pro-1000")
        made = confirm_in_silence(plans, account, bea, previewed, "reset")
        assert (made.state, plan(account)) == (ChangeState.ASKED, "creator v1")

        sweep(plans)

        made.refresh_from_db()
        assert made.state == ChangeState.DONE
        assert charged(wire) == [2_900, 1_000]

    def test_after_it_heard_charges_nothing_twice(
        self, plans, wire, account, bea, on_creator
    ):
        previewed = shown(plans, account, "pro-1000")
        made = confirm_in_silence(
            plans, account, bea, previewed, "timeout_after_commit"
        )
        assert made.state == ChangeState.ASKED

        plans.at += timedelta(minutes=6)  # under another key
        sweep(plans)

        made.refresh_from_db()
        assert made.state == ChangeState.DONE
        assert charged(wire) == [2_900, 1_000]
        assert [grant.granted for grant in upgrade_grants(account)] == [200]

    def test_for_too_long_changes_nothing(self, plans, wire, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")
        made = confirm_in_silence(plans, account, bea, previewed, "reset")

        plans.at += HOUR
        sweep(plans)

        made.refresh_from_db()
        assert (made.state, made.reason) == (
            ChangeState.REFUSED,
            "Stripe could not be reached.",
        )
        assert charged(wire) == [2_900]

    def test_of_a_webhook_leaves_no_upgrade_waiting(
        self, plans, account, bea, on_creator
    ):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")
        plans.at += DAY
        plans.wire.at(plans.at)

        sweep(plans)

        made.refresh_from_db()
        assert (made.state, made.next_check_at) == (ChangeState.REFUSED, None)


def confirm_in_silence(plans, account, user, previewed, kind) -> PlanChange:
    """Confirm a change whose calls to Stripe get no answer, however often."""
    subscriptions = "POST /v1/subscriptions"
    plans.wire.fail_next(kind, on=subscriptions, times=3)
    return confirm(plans, account, user, previewed)


def sweep(plans) -> None:
    at = plans.at + timedelta(minutes=2)
    for change_id in arranging.due_changes(limit=9, at=at):
        arranging.look_after_change(change_id=change_id, at=at)
