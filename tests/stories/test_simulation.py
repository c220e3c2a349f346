"""Random customers live through months at the sandbox, and the books stay right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing import portal_clock
from billing.models import (
    Cycle,
    Invoice,
    InvoiceStatus,
    Subscription,
    SubscriptionStatus,
)
from billing.stripe_gateway import sandbox
from config import clock
from config.simulation.comparing import differences
from config.simulation.running import Plan, simulate
from credits import rate_cards
from tests.billing.changes import tell_prices
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal(wire):
    """The portal and its sandbox, which knows every price, at NOW."""
    tell_prices()
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    with sandbox.behind(wire.door):
        portal_clock.move(NOW)
        yield


@pytest.fixture
def lived(portal):
    """Some customers after a month; returns what differs when one looks again."""
    assert simulate(Plan(accounts=4, months=1, seed=3), tell=_ignore) == []
    return lambda: differences(at=clock.now())


def _ignore(_: str) -> None:
    """Nobody reads it."""


class TestSimulation:
    @pytest.mark.parametrize(
        ("accounts", "seed"),
        [
            (6, 1),
            pytest.param(10, 1, marks=pytest.mark.full),
            pytest.param(20, 2, marks=pytest.mark.full),
        ],
    )
    def test_finds_no_difference_in_fourteen_months(self, portal, accounts, seed):
        lines: list[str] = []
        plan = Plan(accounts=accounts, months=14, seed=seed)

        found = simulate(plan, tell=lines.append)

        assert found == [], lines
        assert len(lines) == 14
        told = " ".join(lines)
        for done in (
            "change_plan",
            "cancel",
            "buy_blocks",
            "run_held_job",
            "lose_card",
        ):
            assert f"{done}: done" in told
        assert "change_plan: PaymentDeclined" in told

    @pytest.mark.full
    @pytest.mark.parametrize("seed", [11, 12, 13])
    def test_finds_no_difference_among_many(self, portal, seed):
        lines: list[str] = []

        found = simulate(Plan(accounts=200, months=14, seed=seed), tell=lines.append)

        assert found == [], lines


class TestCommand:
    def test_says_how_to_see_again_what_it_found(self, portal):
        told = StringIO()

        with pytest.raises(CommandError) as failed:
            call_command(
                *("simulate", "--accounts=6", "--months=3", "--seed=5"),
                "--without-renewals",
                stdout=told,
                stderr=told,
            )

        again = "manage.py simulate --accounts 6 --months 3 --seed 5 --without-renewals"
        assert failed.value.returncode == 1
        assert again in str(failed.value)
        assert "Paid without credits" in told.getvalue()

    def test_fails_when_the_sandbox_does_what_no_customer_brings_about(
        self, portal, wire
    ):
        def broken(method: str, path: str, body: str) -> tuple[int, str]:
            pays = path.startswith("/c/pay/")
            return (500, "") if pays else wire.door(method, path, body)

        with sandbox.behind(broken), pytest.raises(CommandError) as failed:
            call_command("simulate", "--accounts=6", "--months=1", "--seed=5")

        assert "The sandbox answered 500 to POST /c/pay/" in str(failed.value)
        assert "manage.py simulate --accounts 6 --months 1 --seed 5" in str(
            failed.value
        )

    def test_is_for_sandboxes_only(self, settings):
        settings.IS_STRIPE_SANDBOX = False

        with pytest.raises(CommandError, match="sandbox mode only"):
            call_command("simulate")


class TestDifferences:
    """Each comparison notices what it is there for."""

    def test_of_a_cent(self, lived):
        bill = Invoice.objects.filter(status=InvoiceStatus.PAID).first()
        Invoice.objects.filter(pk=bill.pk).update(due_cents=bill.due_cents - 1)

        [found] = lived()

        assert found.startswith(f"Amount differs ({bill.stripe_invoice_id})")

    def test_of_a_plan(self, lived):
        one, other = Subscription.objects.filter(ended_at=None).distinct(
            "plan_version"
        )[:2]
        Subscription.objects.filter(pk=one.pk).update(plan_version=other.plan_version)

        assert differing_plan(one) in names(lived())

    def test_of_a_status(self, lived):
        active = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).first()
        Subscription.objects.filter(pk=active.pk).update(
            status=SubscriptionStatus.PAST_DUE
        )

        assert differing_plan(active) in names(lived())

    def test_of_a_term(self, lived):
        paid = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).first()
        Subscription.objects.filter(pk=paid.pk).update(paid_until=NOW)

        assert differing_plan(paid) in names(lived())

    def test_of_a_month_that_was_not_granted(self, lived):
        begun = Cycle.objects.filter(granted_at__isnull=False).first()
        Cycle.objects.filter(pk=begun.pk).update(granted_at=None)

        assert f"Credits without payment ({begun.source_key})" in names(lived())

    def test_of_a_bill_that_brought_nothing(self, lived):
        bill = Invoice.objects.filter(cycles__isnull=False).first()
        Cycle.objects.filter(invoice=bill).update(invoice=None)

        assert f"Paid without credits ({bill.stripe_invoice_id})" in names(lived())

    def test_of_a_plan_that_has_ended_here(self, lived):
        live = Subscription.objects.filter(ended_at=None).first()
        Subscription.objects.filter(pk=live.pk).update(
            status=SubscriptionStatus.CANCELED, ended_at=NOW
        )

        assert differing_plan(live) in names(lived())


def differing_plan(subscription: Subscription) -> str:
    return f"Plan differs ({subscription.stripe_subscription_id})"


def names(found: list[str]) -> list[str]:
    return [one.partition(": {")[0] for one in found]
