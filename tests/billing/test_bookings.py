"""What is booked beside the ledger, and what the database refuses of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from billing import stripe_gateway
from billing.finance import bookings
from billing.models import (
    BOOKED_ACCOUNTS,
    BalanceMovement,
    Booking,
    BookingKind,
    Purchase,
)
from billing.purchases import settling
from billing.refunds.refunding import Extent
from tests.billing.conftest import buy
from tests.billing.refunds import LATER, bought, hear, refund, use
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def booked(kind: BookingKind) -> dict[str, int]:
    """What the bookings of a kind came to, by account."""
    rows = list(Booking.objects.filter(kind=kind).values(*BOOKED_ACCOUNTS))
    sums = {name: sum(row[name] for row in rows) for name in BOOKED_ACCOUNTS}
    return {name: cents for name, cents in sums.items() if cents}


def bought_with_tax(wire, account, buyer, cents: int) -> Purchase:
    """A block of $5 of which so much was tax."""
    purchase = buy(account, buyer, blocks=1)
    wire.pay(purchase.stripe_session_id)
    session = stripe_gateway.checkout_session(purchase.stripe_session_id)
    settling.settle_as(replace(session, tax_cents=cents), at=LATER)
    purchase.refresh_from_db()
    return purchase


class TestPurchase:
    def test_is_booked_once_whoever_settles_it(self, wire, business, alice):
        purchase = bought(wire, business, alice)

        settling.settle(session_id=purchase.stripe_session_id, at=LATER + HOUR)

        assert Booking.objects.filter(kind=BookingKind.PURCHASE).count() == 1
        assert booked(BookingKind.PURCHASE) == {"receivable": 500, "prepaid": -500}

    def test_that_brings_nothing_is_to_go_back(self, wire, business, alice):
        purchase = buy(business, alice, blocks=1)
        wire.pay(purchase.stripe_session_id)
        live = business.subscriptions.get()
        live.status, live.ended_at = "CANCELED", NOW
        live.save()

        settling.settle(session_id=purchase.stripe_session_id, at=LATER)

        assert booked(BookingKind.PURCHASE) == {"receivable": 500, "refunds": -500}


class TestRefund:
    def test_of_used_credits_is_a_loss_beyond_what_was_unspent(
        self, wire, business, alice
    ):
        purchase = bought(wire, business, alice)
        use(business, 1_540)

        refund(purchase, Extent.ALL)

        # The draw of the 60 that were left takes 300 of these off again.
        assert booked(BookingKind.REFUND) == {"receivable": -500, "refunds": 500}

    def test_that_failed_is_undone_whole(self, wire, business, alice):
        purchase = bought(wire, business, alice, card="4000000000005126")
        refund(purchase, Extent.ALL)
        wire.at(LATER + HOUR)

        hear(wire, LATER + HOUR)

        [made, undone] = (
            booked(kind) for kind in (BookingKind.REFUND, BookingKind.REFUND_UNDONE)
        )
        assert made == {name: -cents for name, cents in undone.items()}
        assert made

    def test_gives_all_tax_back_over_all_of_them(self, wire, business, alice):
        purchase = bought_with_tax(wire, business, alice, cents=80)

        taxes = []
        for cents in (167, 333):
            refund(purchase, Extent.AMOUNT, cents=cents)
            taxes.append(booked(BookingKind.REFUND)["tax_payable"])

        # 26 and then all of it: rounded down over both together.
        assert taxes == [26, 80]
        assert booked(BookingKind.PURCHASE)["tax_payable"] == -80


class TestGuards:
    def test_refuse_what_does_not_balance(self, business):
        with (
            pytest.raises(IntegrityError, match="booking_balances"),
            transaction.atomic(),
        ):
            Booking.objects.create(
                key="a cent too much",
                kind=BookingKind.PURCHASE,
                account=business,
                receivable=500,
                prepaid=-499,
                occurred_at=NOW,
                recorded_at=NOW,
            )

    @pytest.mark.parametrize("model", [Booking, BalanceMovement])
    def test_refuse_to_change_or_delete_what_is_written(self, db, model):
        rows = model.objects.all()

        for change in (
            lambda: rows.update(recorded_at=NOW),
            lambda: rows._raw_delete("default"),
        ):
            with (
                pytest.raises(DatabaseError, match="permission denied"),
                transaction.atomic(),
            ):
                change()


class TestMonths:
    def test_paid_elsewhere_are_brought_in(self, business):
        assert booked(BookingKind.BROUGHT_IN) == {
            "brought_in": 14_900,
            "prepaid": -14_900,
        }

    def test_cost_nothing_more_where_a_plan_has_no_credits(self, business):
        cycle = business.subscriptions.get().cycles.get()

        assert bookings.unbegun_cents(cycle) == 14_900
        cycle.credits = 0
        assert bookings.unbegun_cents(cycle) == 0
