"""3-D Secure for intents that the API confirmed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

BACK = "https://portal.example/paid?order=7"


@pytest.fixture
def ask(client, alice) -> Callable[..., stripe.PaymentIntent]:
    """Confirm a payment with a card whose bank wants to see the customer."""

    def ask(card: str = "pm_card_threeDSecure2Required") -> stripe.PaymentIntent:
        return client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": alice.id,
                "payment_method": card,
                "confirm": True,
                "return_url": BACK,
            }
        )

    return ask


@pytest.fixture
def answer(wire) -> Callable[..., dict[str, list[str]]]:
    """Answer the bank and return the query with which the customer comes back."""

    def answer(intent, choice: str) -> dict[str, list[str]]:
        path = urlsplit(intent.next_action.redirect_to_url.url).path
        response = wire.sandbox.handle("POST", path, {}, f"answer={choice}".encode())
        return parse_qs(urlsplit(response.headers["Location"]).query)

    return answer


class TestPayment:
    def test_is_sent_to_the_bank(self, ask, wire):
        intent = ask()

        path = urlsplit(intent.next_action.redirect_to_url.url).path
        shown = wire.sandbox.handle("GET", path, {})

        assert intent.status == "requires_action"
        assert intent.next_action.type == "redirect_to_url"
        assert intent.next_action.redirect_to_url.return_url == BACK
        assert "$5.00" in shown.body.decode()
        policy = shown.headers["Content-Security-Policy"]
        assert "form-action 'self' https://portal.example;" in policy

    def test_succeeds_when_approved(self, ask, answer, client):
        intent = ask()

        query = answer(intent, "approve")

        assert query["order"] == ["7"]
        assert query["payment_intent"] == [intent.id]
        assert query["payment_intent_client_secret"] == [intent.client_secret]
        assert query["redirect_status"] == ["succeeded"]
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"

    @pytest.mark.parametrize(
        ("card", "choice", "code"),
        [
            (
                "pm_card_threeDSecure2Required",
                "fail",
                "payment_intent_authentication_failure",
            ),
            (
                "pm_card_threeDSecureRequiredChargeDeclined",
                "approve",
                "card_declined",
            ),
        ],
    )
    def test_can_fail(self, ask, answer, client, card, choice, code):
        intent = ask(card)

        query = answer(intent, choice)

        failed = client.v1.payment_intents.retrieve(intent.id)
        assert query["redirect_status"] == ["failed"]
        assert failed.status == "requires_payment_method"
        assert failed.last_payment_error.code == code

    def test_is_answered_once(self, ask, answer, wire):
        intent = ask()
        answer(intent, "approve")

        query = answer(intent, "fail")

        assert query["redirect_status"] == ["succeeded"]
        assert [charge["status"] for charge in wire.charges()] == ["succeeded"]

    def test_says_so_when_there_is_no_way_back(self, client, wire):
        intent = client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "payment_method": "pm_card_threeDSecure2Required",
                "confirm": True,
                "automatic_payment_methods": {
                    "enabled": True,
                    "allow_redirects": "never",
                },
            }
        )

        done = wire.sandbox.handle("POST", f"/3ds/{intent.id}", {}, b"answer=approve")

        assert intent.next_action.type == "use_stripe_sdk"
        assert "Approved. You can close this page." in done.body.decode()


class TestSetup:
    @pytest.fixture
    def asked(self, client, alice):
        return client.v1.setup_intents.create(
            {
                "customer": alice.id,
                "payment_method": "pm_card_authenticationRequiredOnSetup",
                "confirm": True,
                "return_url": BACK,
            }
        )

    def test_saves_the_card_when_approved(self, asked, answer, client, alice):
        query = answer(asked, "approve")

        [card] = client.v1.customers.payment_methods.list(alice.id).data
        assert query["setup_intent"] == [asked.id]
        assert query["redirect_status"] == ["succeeded"]
        assert card.card.last4 == "3155"

    def test_saves_nothing_when_failed(self, asked, answer, client, wire):
        query = answer(asked, "fail")

        failed = client.v1.setup_intents.retrieve(asked.id)
        assert query["redirect_status"] == ["failed"]
        assert failed.last_setup_error.code == "setup_intent_authentication_failure"
        assert wire.events()[-1]["type"] == "setup_intent.setup_failed"
