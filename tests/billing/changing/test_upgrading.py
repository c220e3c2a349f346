"""Upgrades: what they charge and bring, and those that stay unpaid."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from billing.changes import arranging, changing, previewing
from billing.models import ChangeState, Cycle, Invoice
from credits import audits
from tests.billing.changes import (
    APRIL,
    HALF,
    MAY,
    change,
    charged,
    confirm,
    plan,
    shown,
    upgrade_grants,
)
from tests.billing.conftest import available
from tests.billing.plans import DAY, HOUR

pytestmark = pytest.mark.django_db


class TestUpgrade:
    def test_charges_what_was_shown(self, plans, wire, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")

        made = confirm(plans, account, bea, previewed)

        assert made.state == ChangeState.DONE
        assert plan(account) == "pro-1000 v1"
        assert previewed.due_cents == 1_000  # half of 49 less half of 29
        assert charged(wire) == [2_900, 1_000]

    def test_brings_its_share_of_credits_at_once(self, plans, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")

        made = confirm(plans, account, bea, previewed)

        [grant] = upgrade_grants(account)
        assert previewed.credits_now == grant.granted == 200
        assert (grant.effective_at, grant.expires_at) == (HALF, MAY)
        assert (grant.cost_basis_cents, grant.source_key) == (1_000, made.source_key)
        assert available(account) == 800
        assert audits.verify() == []

    def test_brings_the_full_allotment_with_the_next_month(
        self, plans, account, bea, on_creator
    ):
        change(plans, account, bea, "pro-1000")

        plans.travel(APRIL + 2 * HOUR)

        assert Cycle.objects.latest("starts_at").credits == 1_000
        assert available(account) == 1_800

    def test_is_told_of(self, plans, account, bea, on_creator):
        change(plans, account, bea, "pro-1000")

        told = Notice.objects.get(kind="plan_change_done")
        assert "200 credits were added" in told.text

    def test_twice_by_one_form_is_one(self, plans, wire, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")

        first = confirm(plans, account, bea, previewed, form_key="f")
        second = confirm(plans, account, bea, previewed, form_key="f")

        assert first == second
        assert charged(wire) == [2_900, 1_000]

    def test_twice_by_two_forms_is_one(self, plans, wire, account, bea, on_creator):
        previewed = shown(plans, account, "pro-1000")
        confirm(plans, account, bea, previewed)

        with pytest.raises(previewing.ChangeRefused, match="your plan already"):
            confirm(plans, account, bea, previewed)

        assert charged(wire) == [2_900, 1_000]

    def test_after_an_upgrade_begins_from_the_plan_in_force(
        self, plans, account, bea, on_creator
    ):
        change(plans, account, bea, "pro-1000")

        change(plans, account, bea, "pro-5000")

        assert [grant.granted for grant in upgrade_grants(account)] == [200, 2_000]
        assert plan(account) == "pro-5000 v1"

    def test_brings_the_whole_difference_if_that_is_set(
        self, plans, account, bea, on_creator, settings
    ):
        settings.WHOLE_UPGRADE_CREDITS = True

        change(plans, account, bea, "pro-1000")

        assert [grant.granted for grant in upgrade_grants(account)] == [400]

    def test_at_once_after_subscribing_is_the_whole_difference(
        self, plans, account, bea
    ):
        plans.subscribe(account, "creator")

        change(plans, account, bea, "pro-1000")

        assert available(account) == 1_000


class TestUnpaidUpgrade:
    def test_keeps_the_old_plan(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)

        made = change(plans, account, bea, "pro-1000")

        assert made.state == ChangeState.UNPAID
        assert plan(account) == "creator v1"
        assert available(account) == 600
        assert Notice.objects.filter(kind="plan_change_unpaid").exists()

    def test_applies_when_it_is_paid_later(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")
        plans.travel(HALF + 5 * HOUR)

        bill = Invoice.objects.get(status="OPEN")
        plans.wire.pay_invoice(bill.stripe_invoice_id)
        plans.hear()

        made.refresh_from_db()
        assert (made.state, made.invoice) == (ChangeState.DONE, bill)
        assert plan(account) == "pro-1000 v1"
        [grant] = upgrade_grants(account)
        assert (grant.granted, grant.effective_at) == (200, HALF)

    def test_is_dropped_after_its_time(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")

        plans.travel(HALF + DAY)

        made.refresh_from_db()
        assert made.state == ChangeState.REFUSED
        assert plan(account) == "creator v1"
        assert Invoice.objects.filter(status="VOID").count() == 1
        assert Notice.objects.filter(kind="plan_change_refused").exists()

    def test_can_be_given_up(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")

        arranging.give_up(made, at=plans.at)

        made.refresh_from_db()
        assert made.state == ChangeState.REFUSED
        assert plan(account) == "creator v1"

    def test_holds_every_other_change_back(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        made = change(plans, account, bea, "pro-1000")

        with pytest.raises(changing.ChangeInProgress) as busy:
            change(plans, account, bea, "pro-5000")

        assert busy.value.change == made

    def test_gives_way_to_canceling(self, plans, account, bea, on_creator):
        plans.let_cards_fail(on_creator)
        upgrade = change(plans, account, bea, "pro-1000")

        made = change(plans, account, bea, "free")

        upgrade.refresh_from_db()
        assert upgrade.state == ChangeState.REFUSED
        assert made.state == ChangeState.SCHEDULED
