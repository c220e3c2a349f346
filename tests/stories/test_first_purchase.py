"""From a new account to its first blocks, and to a payment that came too late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import team
from accounts.models import Notice
from billing.models import Interval
from billing.plans import catalogue, renewing
from billing.purchases import purchasing, settling
from billing.purchases.settling import Settlement
from billing.refunds import refunding
from credits import audits, ledger, quoting, statements
from credits.core.rating import JobLine
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.django_db

SECONDS, MINUTES = 1_000, 60_000
MONTHLY, PURCHASED = "Monthly credits", "Purchased credits"
DAY = timedelta(days=1)


class TestFirstPurchase:
    def test_from_the_first_credits_to_a_payment_that_came_too_late(self, wire, rates):
        nora = make_user("nora@example.com", name="Nora Lind")
        studio = team.open_account(name="Northwind Studio", owner=nora, at=NOW)
        begin_business(studio, at=NOW)
        wallet_id = ledger.open_wallet(account_id=studio.pk, at=NOW)

        second_day = NOW + DAY
        teaser = quote("avatar-iv", 72 * SECONDS, at=second_day)
        assert teaser.credits == 24
        run(teaser, wallet_id, at=second_day)

        third_day = NOW + 2 * DAY
        wire.at(third_day)
        in_time = order(studio, nora, blocks=3, at=third_day)
        wire.pay(in_time.stripe_session_id)
        assert settle(in_time, at=third_day) == Settlement.GRANTED

        # More than the plan has left: the rest comes out of the blocks.
        sixth_day = NOW + 5 * DAY
        run(quote("avatar-iv", 74 * MINUTES, at=sixth_day), wallet_id, at=sixth_day)

        # The plan ends while the checkout page is open (R42).
        last_day = NOW + 20 * DAY
        wire.at(last_day)
        too_late = order(studio, nora, blocks=2, at=last_day)
        studio.subscriptions.update(status="CANCELED", ended_at=last_day)
        wire.pay(too_late.stripe_session_id)
        assert settle(too_late, at=last_day) == Settlement.REFUNDING
        [refund_id] = refunding.due_refunds(limit=9, at=last_day)
        refunding.look_after(refund_id=refund_id, at=last_day)

        assert statement(wallet_id, at=last_day) == [
            ("10 Mar", +1_500, 1_500, "Monthly credits", {MONTHLY: 1_500}),
            ("11 Mar", -24, 1_476, "Avatar IV, 1 min 12 s", {MONTHLY: -24}),
            ("12 Mar", +300, 1_776, "Purchased credits", {PURCHASED: 300}),
            (
                *("15 Mar", -1_480, 296, "Avatar IV, 1 h 14 min"),
                {MONTHLY: -1_476, PURCHASED: -4},
            ),
        ]
        assert [charge["amount_refunded"] for charge in wire.charges()] == [0, 1_000]
        assert [notice.subject for notice in Notice.objects.order_by("pk")] == [
            "Receipt: 300 credits for Northwind Studio",
            "$10.00 returned to Northwind Studio",
        ]
        assert audits.verify() == []


def begin_business(account, *, at) -> None:
    renewing.begin(
        account_id=account.pk,
        plan_code="business",
        interval=Interval.MONTH,
        anchor_at=at,
        at=at,
    )


def quote(feature, quantity, *, at) -> quoting.Quote:
    job = [JobLine(feature, quantity)]
    return quoting.quote(lines=job, rate_plan=quoting.STANDARD, at=at)


def run(quoted, wallet_id, *, at) -> None:
    """Run a job for what was quoted."""
    command = ledger.Spend(
        wallet_id=wallet_id,
        lines=quoted.lines,
        idempotency_key=f"job of {at:%d %B}",
        actor="Studio backend",
    )
    ledger.spend(command, at=at)


def order(account, buyer, *, blocks, at):
    return purchasing.buy_blocks(
        account=account,
        buyer=buyer,
        offer=catalogue.blocks_in_force(at=at),
        blocks=blocks,
        form_key=f"form of {at:%d %B}",
        at=at,
    )


def settle(purchase, *, at) -> Settlement:
    return settling.settle(session_id=purchase.stripe_session_id, at=at)


def statement(wallet_id, *, at) -> list[tuple]:
    """Return what the statement page says, oldest first."""
    page = statements.statement_for(wallet_id, at=at)
    return [line_of(row) for row in reversed(page.rows)]


def line_of(row) -> tuple:
    day = f"{row.occurred_at:%d %b}"
    draws = {draw.label: draw.credits for draw in row.draws}
    return day, row.credits, row.balance_after, row.description, draws
