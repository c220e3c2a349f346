"""Saving a card without charging it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

CONFIRMED = {"confirm": True, "return_url": "https://portal.example/saved?a=1"}


@pytest.fixture
def save(client, alice) -> Callable[..., stripe.SetupIntent]:
    def save(card: str = "pm_card_visa", **params: Any) -> stripe.SetupIntent:
        return client.v1.setup_intents.create(
            {"customer": alice.id, "payment_method": card, **CONFIRMED, **params}
        )

    return save


def told(wire) -> list[str]:
    return [event["type"] for event in wire.events()]


class TestCreate:
    def test_waits_for_a_card(self, client, alice):
        intent = client.v1.setup_intents.create({"customer": alice.id})

        assert intent.status == "requires_payment_method"
        assert intent.usage == "off_session"
        assert intent.client_secret.startswith(f"{intent.id}_secret_")
        assert intent.payment_method_types == ["card"]

    def test_saves_the_card_when_confirmed(self, client, alice, save, wire):
        intent = save()

        [card] = client.v1.customers.payment_methods.list(alice.id).data
        assert intent.status == "succeeded"
        assert intent.payment_method == card.id
        assert told(wire)[-3:] == [
            "setup_intent.created",
            "payment_method.attached",
            "setup_intent.succeeded",
        ]

    def test_logs_its_attempts(self, client, save):
        intent = save()

        [attempt] = client.v1.setup_attempts.list({"setup_intent": intent.id}).data

        assert attempt.status == "succeeded"
        assert attempt.id == intent.latest_attempt

    def test_wants_to_know_where_to_send_the_customer(self, client):
        with pytest.raises(stripe.InvalidRequestError, match="This SetupIntent is"):
            client.v1.setup_intents.create(
                {"payment_method": "pm_card_visa", "confirm": True}
            )

    def test_refuses_payment_method_types(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.setup_intents.create({"payment_method_types": ["card"]})

        assert caught.value.code == "payment_method_types_no_longer_supported"

    def test_refuses_what_it_would_have_to_ignore(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.setup_intents.create({"attach_to_self": True})

        assert caught.value.code == "sandbox_unsupported"

    def test_refuses_an_unknown_customer(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.setup_intents.create({"customer": "cus_none"})

        assert caught.value.param == "customer"


class TestDecline:
    def test_keeps_the_reason(self, client, save, wire):
        with pytest.raises(stripe.CardError) as caught:
            save("pm_card_chargeDeclined")

        failed = client.v1.setup_intents.retrieve(caught.value.error.setup_intent.id)
        assert caught.value.error.decline_code == "generic_decline"
        assert failed.status == "requires_payment_method"
        assert failed.last_setup_error.decline_code == "generic_decline"
        assert told(wire)[-1] == "setup_intent.setup_failed"

    def test_leaves_no_card_behind(self, client, alice, save):
        with pytest.raises(stripe.CardError):
            save("pm_card_chargeDeclined")

        assert client.v1.customers.payment_methods.list(alice.id).data == []


class TestConfirm:
    def test_saves_a_card_that_is_given_then(self, client, alice):
        intent = client.v1.setup_intents.create({"customer": alice.id})

        saved = client.v1.setup_intents.confirm(
            intent.id,
            {"payment_method": "pm_card_visa", "return_url": CONFIRMED["return_url"]},
        )

        assert saved.status == "succeeded"

    def test_asks_for_a_card(self, client, alice):
        intent = client.v1.setup_intents.create({"customer": alice.id})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.setup_intents.confirm(intent.id)

        assert caught.value.code == "setup_intent_unexpected_state"

    def test_happens_once(self, client, save):
        intent = save()

        with pytest.raises(stripe.InvalidRequestError, match="already succeeded"):
            client.v1.setup_intents.confirm(intent.id)


class TestCancel:
    def test_ends_an_open_intent(self, client, alice, wire):
        intent = client.v1.setup_intents.create({"customer": alice.id})

        canceled = client.v1.setup_intents.cancel(
            intent.id, {"cancellation_reason": "abandoned"}
        )

        assert (canceled.status, canceled.cancellation_reason) == (
            "canceled",
            "abandoned",
        )
        assert told(wire)[-1] == "setup_intent.canceled"

    def test_is_too_late_for_a_saved_card(self, client, save):
        intent = save()

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.setup_intents.cancel(intent.id)

        assert caught.value.code == "setup_intent_unexpected_state"


class TestUpdateAndList:
    def test_changes_what_describes_an_intent(self, client, alice):
        intent = client.v1.setup_intents.create({})

        changed = client.v1.setup_intents.update(
            intent.id, {"customer": alice.id, "metadata": {"org": "1"}}
        )

        assert changed.customer == alice.id
        assert changed.metadata.to_dict() == {"org": "1"}

    def test_lists_those_of_a_customer(self, client, save, alice):
        intent = save()
        client.v1.setup_intents.create({})

        listed = client.v1.setup_intents.list({"customer": alice.id})

        assert [each.id for each in listed.data] == [intent.id]


class TestDetachedCard:
    def test_is_no_longer_the_default(self, client, alice, save, wire):
        card = save().payment_method
        client.v1.customers.update(
            alice.id, {"invoice_settings": {"default_payment_method": card}}
        )

        client.v1.payment_methods.detach(card)

        after = client.v1.customers.retrieve(alice.id)
        assert after.invoice_settings.default_payment_method is None
        assert told(wire)[-2:] == ["customer.updated", "payment_method.detached"]
