"""What a declined charge leads to, and one that the bank wants confirmed."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from billing import stripe_gateway
from billing.models import AutoReload, Reload, ReloadState
from billing.purchases import settling
from billing.reloads import charging, confirming
from credits.models import CreditGrant, GrantSource
from tests.billing.conftest import available, buy
from tests.billing.reloads import (
    CARD_WITH_3DS,
    DAY,
    FAILING_CARD,
    GOOD_CARD,
    HOUR,
    MINUTE,
    OTHER_CARD,
    agree,
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


class TestDeclines:
    @pytest.fixture
    def card(self, wire, business):
        return save_card(wire, business, FAILING_CARD)

    def test_end_after_three_attempts_in_silence(self, wire, short):
        for hours in range(0, 24 * 14, 6):
            wire.at(NOW + hours * HOUR)
            sweep(short, at=NOW + hours * HOUR)

        assert len(wire.charges()) == 3
        [reload] = Reload.objects.all()
        assert (reload.state, reload.declines) == (ReloadState.FAILED, 3)
        assert reload.decline_code == "generic_decline"
        assert AutoReload.objects.get().suspended_at
        assert available(short) == 400

    def test_wait_an_hour_and_then_a_day(self, wire, short):
        first = reload(short)
        assert first.next_attempt_at == NOW + HOUR

        charging.charge(reload_id=first.pk, at=NOW + HOUR)

        first.refresh_from_db()
        assert first.next_attempt_at == NOW + 25 * HOUR

    def test_are_told_each(self, wire, short):
        reload(short)
        told = Notice.objects.filter(kind="reload_failed").count()
        sweep(short, at=NOW + HOUR)

        assert Notice.objects.filter(kind="reload_failed").count() == 2 * told > 0

    def suspended(self, wire, account):
        for at in (NOW, NOW + HOUR, NOW + 25 * HOUR):
            sweep(account, at=at)
        assert AutoReload.objects.get().suspended_at

    def test_are_not_forgotten_when_the_same_card_is_saved_again(
        self, wire, short, alice
    ):
        self.suspended(wire, short)

        same = save_card(wire, short, FAILING_CARD)
        agree(short, alice, same, at=NOW + 26 * HOUR)
        reload(short, at=NOW + 26 * HOUR)

        assert AutoReload.objects.get().suspended_at
        assert len(wire.charges()) == 3
        assert skips(short) == ["SUSPENDED"]

    def test_end_with_another_card(self, wire, short, alice):
        self.suspended(wire, short)

        agree(short, alice, save_card(wire, short, OTHER_CARD), at=NOW + 26 * HOUR)
        reload(short, at=NOW + 26 * HOUR)

        assert AutoReload.objects.get().suspended_at is None
        assert paid(wire) == [1_500]

    def test_end_with_a_purchase_by_the_same_card(self, wire, business, alice):
        auto = agree(business, alice, save_card(wire, business, GOOD_CARD))
        AutoReload.objects.filter(pk=auto.pk).update(
            suspended_at=NOW,
            suspension="DECLINED",
            failed_fingerprint=auto.card_fingerprint,
        )
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)

        settling.settle(session_id=purchase.stripe_session_id, at=NOW)

        assert AutoReload.objects.get().suspended_at is None

    def test_go_on_with_a_purchase_by_another_card(self, wire, short, alice):
        self.suspended(wire, short)
        wire.at(NOW + 26 * HOUR)
        purchase = buy(short, alice, at=NOW + 26 * HOUR)
        wire.pay(purchase.stripe_session_id)

        settling.settle(session_id=purchase.stripe_session_id, at=NOW + 26 * HOUR)

        assert AutoReload.objects.get().suspended_at

    def test_of_a_card_that_was_removed_are_final(self, wire, business, alice):
        card = save_card(wire, business)
        agree(business, alice, card)
        use(business, 1_100)
        wire.client().v1.payment_methods.detach(card.id)

        reloaded = reload(business)

        assert reloaded.state == ReloadState.FAILED
        assert reloaded.decline_code == "card_removed"
        assert wire.charges() == []


class TestConfirmation:
    @pytest.fixture
    def card(self, wire, business):
        return save_card(wire, business, CARD_WITH_3DS)

    def test_is_asked_for_and_is_no_decline(self, wire, short):
        waiting = reload(short)

        assert waiting.state == ReloadState.NEEDS_ACTION
        assert waiting.declines == 0
        assert waiting.action_expires_at == NOW + DAY
        assert "reload_action" in notices()

    def test_cancels_the_payment_that_the_bank_stopped(self, wire, short):
        waiting = reload(short)

        assert stripe_gateway.card_payment(waiting.last_payment_id).status == "canceled"

    def test_opens_a_page_for_the_same_amount(self, wire, short):
        waiting = reload(short)

        address = confirming.open_page(waiting, at=NOW)

        [session] = wire.sessions()
        assert address == session["url"] == confirming.open_page(waiting, at=NOW)
        assert session["amount_total"] == 1_500

    def test_pays_the_reload(self, wire, short):
        waiting = reload(short)
        confirming.open_page(waiting, at=NOW)
        session_id = waiting.purchase.stripe_session_id
        wire.pay(session_id, card="4000002760003184")
        wire.answer_challenge(session_id, approve=True)

        settling.settle(session_id=session_id, at=NOW + MINUTE)

        waiting.refresh_from_db()
        assert waiting.state == ReloadState.PAID
        assert paid(wire) == [1_500]
        assert available(short) == 700
        assert CreditGrant.objects.filter(source=GrantSource.RELOAD).count() == 1

    def test_is_given_up_after_a_day(self, wire, short):
        reload(short)

        sweep(short, at=NOW + DAY)

        [given_up] = Reload.objects.all()
        assert given_up.state == ReloadState.FAILED
        assert AutoReload.objects.get().suspension == "NOT_CONFIRMED"
        assert "reload_not_confirmed" in notices()
        assert skips(short) == []

    def test_cannot_be_given_any_more_then(self, wire, short):
        waiting = reload(short)

        with pytest.raises(confirming.NothingToConfirm):
            confirming.open_page(waiting, at=NOW + DAY)

    def test_paid_in_the_last_minute_counts(self, wire, short):
        waiting = reload(short)
        confirming.open_page(waiting, at=NOW)
        session_id = waiting.purchase.stripe_session_id
        wire.at(NOW + DAY - MINUTE)
        wire.pay(session_id)

        sweep(short, at=NOW + DAY)

        assert available(short) == 700
        assert AutoReload.objects.get().suspended_at is None
