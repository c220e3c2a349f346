"""Off-session payments, their declines and their leftovers."""

from __future__ import annotations

import pytest
import stripe

DECLINED = "Your card was declined."
TOO_OFTEN = (
    "Your card was declined for making repeated attempts too frequently or exceeding"
    " its amount limit."
)
NO_FUNDS = "Your card has insufficient funds."
WRONG_CVC = "Your card's security code is incorrect."
TROUBLE = "An error occurred while processing your card. Try again in a little bit."
DECLINES = [
    ("chargeDeclined", "card_declined", "generic_decline", DECLINED),
    (
        "chargeDeclinedInsufficientFunds",
        "card_declined",
        "insufficient_funds",
        NO_FUNDS,
    ),
    ("chargeDeclinedLostCard", "card_declined", "lost_card", DECLINED),
    ("chargeDeclinedStolenCard", "card_declined", "stolen_card", DECLINED),
    ("chargeDeclinedExpiredCard", "expired_card", None, "Your card has expired."),
    ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None, WRONG_CVC),
    ("chargeDeclinedProcessingError", "processing_error", None, TROUBLE),
    (
        "visa_chargeDeclinedVelocityLimitExceeded",
        "card_declined",
        "card_velocity_exceeded",
        TOO_OFTEN,
    ),
]


def refused(call, *arguments) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*arguments)
    return caught.value


class TestOffSessionPayment:
    def test_succeeds(self, pay_now, alice):
        intent = pay_now(metadata={"reload": "7"}, expand=["latest_charge"])

        assert intent.status == "succeeded"
        assert intent.amount_received == 500
        assert intent.capture_method == "automatic_async"
        assert intent.latest_charge.paid is True
        assert intent.latest_charge.customer == alice.id
        assert intent.latest_charge.metadata.to_dict() == {"reload": "7"}

    def test_tells_its_events_in_stripes_order(self, pay_now, wire):
        pay_now()

        told = [event["type"] for event in wire.events()]

        assert told == [
            "customer.created",
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]

    @pytest.mark.parametrize(("card", "code", "decline_code", "message"), DECLINES)
    def test_is_declined(self, pay_now, card, code, decline_code, message):
        with pytest.raises(stripe.CardError) as caught:
            pay_now(f"pm_card_{card}")

        assert caught.value.http_status == 402
        assert caught.value.code == code
        assert caught.value.error.decline_code == decline_code
        assert caught.value.user_message == message

    def test_says_whether_to_try_again(self, pay_now):
        with pytest.raises(stripe.CardError) as later:
            pay_now("pm_card_chargeDeclinedInsufficientFunds")
        with pytest.raises(stripe.CardError) as never:
            pay_now("pm_card_chargeDeclinedStolenCard")

        assert later.value.error.advice_code == "try_again_later"
        assert never.value.error.advice_code == "do_not_try_again"

    def test_leaves_the_failed_charge_and_its_reason(self, pay_now, client, wire):
        with pytest.raises(stripe.CardError) as caught:
            pay_now("pm_card_chargeDeclined")

        error = caught.value.error
        intent = client.v1.payment_intents.retrieve(error.payment_intent.id)
        charge = client.v1.charges.retrieve(error.charge)

        assert intent.status == "requires_payment_method"
        assert intent.payment_method is None
        assert intent.last_payment_error.decline_code == "generic_decline"
        assert intent.latest_charge == charge.id
        assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
        assert charge.outcome.type == "issuer_declined"
        assert [event["type"] for event in wire.events()][-2:] == [
            "charge.failed",
            "payment_intent.payment_failed",
        ]

    @pytest.mark.parametrize("flag", [{}, {"error_on_requires_action": True}])
    def test_is_declined_when_the_bank_wants_3ds(self, pay_now, flag):
        with pytest.raises(stripe.CardError) as caught:
            pay_now("pm_card_authenticationRequired", **flag)

        assert caught.value.code == "authentication_required"
        assert caught.value.error.decline_code == "authentication_required"
        assert caught.value.error.payment_intent.status == "requires_payment_method"

    def test_waits_for_3ds_when_the_customer_is_there(self, pay_now, wire):
        intent = pay_now(
            "pm_card_authenticationRequired",
            off_session=False,
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        )

        assert intent.status == "requires_action"
        assert intent.next_action.type == "use_stripe_sdk"
        assert wire.charges() == []

    def test_needs_a_return_url_when_the_customer_is_there(self, pay_now):
        error = refused(lambda: pay_now(off_session=False))

        assert "you must provide a `return_url`" in error.user_message

    def test_is_possible_only_when_it_is_confirmed(self, pay_now):
        error = refused(lambda: pay_now(confirm=False))

        assert error.param == "off_session"

    def test_refuses_somebody_elses_card(self, pay_now, client):
        bob = client.v1.customers.create({"payment_method": "pm_card_visa"})
        [card] = client.v1.customers.payment_methods.list(bob.id).data

        error = refused(lambda: pay_now(card.id))

        assert error.code == "resource_missing"
        assert error.param == "payment_method"

    def test_refuses_a_detached_card(self, pay_now, client, alice):
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})
        client.v1.payment_methods.detach(card.id)

        error = refused(lambda: pay_now(card.id))

        assert "was detached from a Customer" in error.user_message

    def test_refuses_less_than_50_cents(self, pay_now):
        error = refused(lambda: pay_now(amount=49))

        assert error.code == "amount_too_small"
        assert error.user_message == "Amount must be at least $0.50 usd"


class TestPaymentIntent:
    def test_goes_through_its_states(self, client):
        intent = client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "allowed_payment_method_types": ["card"],
            }
        )
        prepared = client.v1.payment_intents.update(
            intent.id, {"payment_method": "pm_card_visa"}
        )
        paid = client.v1.payment_intents.confirm(intent.id)

        assert intent.status == "requires_payment_method"
        assert prepared.status == "requires_confirmation"
        assert paid.status == "succeeded"

    def test_cannot_be_confirmed_without_a_card(self, client):
        intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})

        error = refused(client.v1.payment_intents.confirm, intent.id)

        assert error.code == "payment_intent_unexpected_state"
        assert error.error.payment_intent.id == intent.id

    def test_cannot_be_confirmed_twice(self, pay_now, client):
        intent = pay_now()

        error = refused(client.v1.payment_intents.confirm, intent.id)

        assert error.user_message == (
            "You cannot confirm this PaymentIntent because it has already succeeded"
            " after being previously confirmed."
        )

    def test_is_canceled(self, client, wire):
        intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})

        canceled = client.v1.payment_intents.cancel(
            intent.id, {"cancellation_reason": "abandoned"}
        )

        assert canceled.status == "canceled"
        assert canceled.cancellation_reason == "abandoned"
        assert wire.events()[-1]["type"] == "payment_intent.canceled"

    def test_cannot_be_canceled_once_paid(self, pay_now, client):
        intent = pay_now()

        error = refused(client.v1.payment_intents.cancel, intent.id)

        assert error.code == "payment_intent_unexpected_state"
        assert "because it has a status of succeeded" in error.user_message

    def test_saves_the_card_when_asked_to(self, pay_now, client, alice):
        pay_now(setup_future_usage="off_session")

        assert len(client.v1.customers.payment_methods.list(alice.id).data) == 1

    def test_refuses_what_the_sandbox_would_ignore(self, client):
        error = refused(
            client.v1.payment_intents.create,
            {"amount": 500, "currency": "usd", "transfer_group": "x"},
        )

        assert error.code == "sandbox_unsupported"
