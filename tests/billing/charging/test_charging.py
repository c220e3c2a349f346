"""From credits that run short to a charge, and what can stand against it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from accounts.models import Notice
from billing import stripe_gateway
from billing.models import (
    AutoReload,
    Purchase,
    PurchaseOrigin,
    PurchaseState,
    Reload,
    ReloadState,
    Subscription,
)
from billing.purchases import settling
from billing.reloads import charging
from billing.reloads import settings as reload_settings
from credits import audits
from credits.models import CreditGrant, GrantSource
from tests.billing.conftest import available, buy, event_of
from tests.billing.reloads import (
    DAY,
    FAILING_CARD,
    HOUR,
    MINUTE,
    agree,
    consider,
    notices,
    paid,
    reload,
    save_card,
    skips,
    sweep,
    use,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TIMEOUT = "timeout_after_commit"
ON_CHARGE = "POST /v1/payment_intents"


class TestCharge:
    def test_grants_blocks_of_the_source_reload(self, wire, short):
        reloaded = reload(short)

        assert reloaded.state == ReloadState.PAID
        [grant] = CreditGrant.objects.filter(source=GrantSource.RELOAD)
        assert (grant.granted, grant.cost_basis_cents) == (300, 1_500)
        assert grant.source_key == reloaded.purchase.source_key
        assert available(short) == 700
        assert paid(wire) == [1_500]
        assert audits.verify() == []

    def test_is_a_purchase_like_any_other(self, wire, short):
        purchase = reload(short).purchase

        assert purchase.origin == PurchaseOrigin.RELOAD
        assert purchase.state == PurchaseState.PAID
        assert purchase.stripe_payment_intent_id
        assert purchase.receipt_url

    def test_is_told_by_e_mail(self, wire, short):
        reload(short)

        assert "reload_paid" in notices()

    def test_is_made_once_though_events_come_twice(self, wire, short):
        reload(short)
        [event] = wire.events("payment_intent.succeeded")

        for _ in range(2):
            charged = stripe_gateway.card_payment(event_of(event).object_id)
            assert charging.follow(charged, at=NOW) == "settled before"

        assert available(short) == 700

    def test_does_nothing_before_its_time(self, wire, short):
        considered = consider(short)

        charging.charge(reload_id=considered.reload_id, at=NOW - MINUTE)

        assert wire.charges() == []

    def test_leaves_other_payments_alone(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        [event] = wire.events("payment_intent.succeeded")

        charged = stripe_gateway.card_payment(event_of(event).object_id)

        assert charging.follow(charged, at=NOW) == "not ours"

    def test_returns_the_money_when_the_plan_has_ended(self, wire, short):
        considered = consider(short)
        wire.fail_next(TIMEOUT, on=ON_CHARGE, times=3)
        with pytest.raises(stripe_gateway.StripeUnavailable):
            charging.charge(reload_id=considered.reload_id, at=NOW)
        Subscription.objects.update(status="CANCELED", ended_at=NOW)

        charging.charge(reload_id=considered.reload_id, at=NOW + MINUTE)

        purchase = Purchase.objects.get()
        assert purchase.state == PurchaseState.REFUNDING


class TestSilence:
    """An outage is no decline, and what was charged is charged once."""

    def unanswered(self, wire, account, kind) -> int:
        wire.fail_next(kind, on=ON_CHARGE, times=3)
        reload_id = consider(account).reload_id
        with pytest.raises(stripe_gateway.StripeUnavailable):
            charging.charge(reload_id=reload_id, at=NOW)
        return reload_id

    @pytest.mark.parametrize("kind", ["500", "429", "reset", TIMEOUT])
    def test_counts_as_no_decline(self, wire, short, kind):
        reload_id = self.unanswered(wire, short, kind)

        reload = Reload.objects.get(pk=reload_id)
        assert (reload.state, reload.declines) == (ReloadState.PROCESSING, 0)
        assert AutoReload.objects.get().suspended_at is None
        assert "reload_failed" not in notices()

    @pytest.mark.parametrize("kind", ["500", "429", "reset", TIMEOUT])
    def test_is_asked_again_and_charged_once(self, wire, short, kind):
        self.unanswered(wire, short, kind)

        # Stripe repeats a fault of its own under the same key.
        for minutes in range(1, 120):
            with suppress(stripe_gateway.StripeUnavailable):
                sweep(short, at=NOW + minutes * MINUTE)

        assert paid(wire) == [1_500]
        assert available(short) == 700

    def test_holds_when_stripe_forgot_the_key(self, wire, short):
        reload_id = self.unanswered(wire, short, TIMEOUT)
        wire.at(NOW + 3 * DAY)

        charging.charge(reload_id=reload_id, at=NOW + 3 * DAY)

        assert paid(wire) == [1_500]
        assert Reload.objects.get().state == ReloadState.PAID
        assert available(short) == 700

    def test_that_hid_nothing_is_charged_anew_after_three_days(self, wire, short):
        reload_id = self.unanswered(wire, short, "reset")
        wire.at(NOW + 3 * DAY)

        charging.charge(reload_id=reload_id, at=NOW + 3 * DAY)

        assert paid(wire) == [1_500]
        assert Reload.objects.get().attempt == 2

    def test_is_read_off_but_never_charged_once_it_is_off(self, wire, short, alice):
        reload_id = self.unanswered(wire, short, "reset")
        reload_settings.turn_off(short, by=alice, at=NOW)

        charging.charge(reload_id=reload_id, at=NOW + MINUTE)

        assert paid(wire) == []
        assert Reload.objects.get().state == ReloadState.CANCELED

    def test_is_broken_by_the_webhook(self, wire, short):
        self.unanswered(wire, short, TIMEOUT)
        [event] = wire.events("payment_intent.succeeded")

        charged = stripe_gateway.card_payment(event_of(event).object_id)

        assert charging.follow(charged, at=NOW) == "granted"
        assert available(short) == 700


class TestHindrance:
    """What was begun is looked at again before the card is charged."""

    def test_cancels_a_retry_that_is_not_needed_any_more(self, wire, business, alice):
        agree(business, alice, save_card(wire, business, FAILING_CARD))
        use(business, 1_100)
        waiting = reload(business)
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        settling.settle(session_id=purchase.stripe_session_id, at=NOW)

        sweep(business, at=NOW + HOUR)

        waiting.refresh_from_db()
        assert waiting.state == ReloadState.CANCELED
        assert waiting.canceled_because == "ENOUGH"
        assert len([c for c in wire.charges() if not c["paid"]]) == 1

    def test_cancels_what_the_plan_forbids_by_now(self, wire, short):
        considered = consider(short)
        Subscription.objects.update(status="PAST_DUE")

        charging.charge(reload_id=considered.reload_id, at=NOW)

        assert Reload.objects.get().state == ReloadState.CANCELED
        assert skips(short) == ["PAST_DUE"]
        assert wire.charges() == []

    def test_ends_with_stopping_it(self, wire, short, alice):
        considered = consider(short)

        reload_settings.turn_off(short, by=alice, at=NOW)
        charging.charge(reload_id=considered.reload_id, at=NOW)

        assert Reload.objects.get().state == ReloadState.CANCELED
        assert Purchase.objects.get().state == PurchaseState.EXPIRED
        assert wire.charges() == []


class TestCaps:
    def reload_often(self, account, times: int) -> None:
        for n in range(times):
            at = NOW + timedelta(minutes=11 * n)
            use(account, 300, at=at)
            reload(account, at=at)

    def test_of_money_hold(self, wire, business, alice, card):
        agree(business, alice, card, monthly_cap_cents=5_000)
        use(business, 1_000)

        self.reload_often(business, 5)

        assert sum(paid(wire)) == 5_000
        assert skips(business)[-1] == "CAP_MONEY"

    def test_of_number_hold(self, wire, business, alice, card):
        agree(business, alice, card, monthly_cap_count=2)
        use(business, 1_000)

        self.reload_often(business, 3)

        assert len(paid(wire)) == 2
        assert skips(business) == ["CAP_COUNT"]

    def test_begin_anew_with_the_month(self, wire, business, alice, card):
        agree(business, alice, card, monthly_cap_count=1)
        use(business, 1_100)
        reload(business)
        use(business, 300)
        subscription = Subscription.objects.get()
        subscription.paid_until = NOW + 60 * DAY
        subscription.save()

        reload(business, at=NOW + 31 * DAY - MINUTE)
        reload(business, at=NOW + 31 * DAY)

        assert paid(wire) == [1_500, 1_500]

    def test_are_told_at_80_90_and_100_percent(self, wire, business, alice, card):
        agree(business, alice, card, monthly_cap_cents=10_000, blocks=9)
        use(business, 1_100)
        for n, draw in enumerate((850, 900, 100)):
            at = NOW + timedelta(minutes=11 * n)
            reload(business, at=at)
            use(business, draw, at=at)

        keys = Notice.objects.filter(kind="reload_cap").values_list("key", flat=True)
        assert {key.split(":")[3] for key in keys} == {"90", "100"}

    def test_are_told_once(self, wire, business, alice, card):
        agree(business, alice, card, monthly_cap_count=1)
        use(business, 1_100)
        reload(business)
        use(business, 300)
        for minutes in (11, 12, 13):
            reload(business, at=NOW + minutes * MINUTE)

        told = Notice.objects.filter(kind="reload_cap", key__contains=":100:")
        assert told.count() == len(set(told.values_list("recipient", flat=True)))
        assert skips(business) == ["CAP_COUNT"]
