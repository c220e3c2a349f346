"""Checkout in mode `setup`: a card is saved and nothing is charged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe


@pytest.fixture
def open_setup(client, alice) -> Callable[..., stripe.checkout.Session]:
    def open_setup(**params: Any) -> stripe.checkout.Session:
        return client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": alice.id,
                "currency": "usd",
                "success_url": "https://portal.example/saved?s={CHECKOUT_SESSION_ID}",
                "setup_intent_data": {"metadata": {"org": "1"}},
                **params,
            }
        )

    return open_setup


class TestOpening:
    def test_makes_the_setup_intent_at_once(self, client, open_setup):
        session = open_setup()

        intent = client.v1.setup_intents.retrieve(session.setup_intent)
        assert (session.amount_total, session.payment_intent) == (None, None)
        assert session.payment_status == "no_payment_required"
        assert intent.status == "requires_payment_method"
        assert intent.metadata.to_dict() == {"org": "1"}

    def test_wants_a_currency_to_choose_methods_by(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.checkout.sessions.create(
                {"mode": "setup", "success_url": "https://portal.example/"}
            )

        assert caught.value.param == "currency"

    def test_does_without_one_when_the_methods_are_named(self, client):
        session = client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "allowed_payment_method_types": ["card"],
                "success_url": "https://portal.example/",
            }
        )

        assert session.currency is None

    @pytest.mark.parametrize(
        "extra",
        [
            {"line_items": [{"price": "price_1", "quantity": 1}]},
            {"payment_intent_data": {"description": "?"}},
        ],
        ids=lambda extra: next(iter(extra)),
    )
    def test_refuses_what_only_a_payment_has(self, open_setup, extra):
        with pytest.raises(stripe.InvalidRequestError, match="in `setup` mode"):
            open_setup(**extra)

    def test_is_canceled_with_its_session(self, client, open_setup):
        session = open_setup()

        client.v1.checkout.sessions.expire(session.id)

        intent = client.v1.setup_intents.retrieve(session.setup_intent)
        assert intent.status == "canceled"


class TestSaving:
    def test_attaches_the_card_and_leads_back(self, client, alice, open_setup, wire):
        session = open_setup()

        response = wire.pay(session.id)

        done = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["setup_intent"]}
        )
        [card] = client.v1.customers.payment_methods.list(alice.id).data
        assert response.headers["Location"] == (
            f"https://portal.example/saved?s={session.id}"
        )
        assert done.status == "complete"
        assert done.setup_intent.payment_method == card.id
        assert wire.charges() == []

    def test_tells_its_events_in_stripes_order(self, open_setup, wire):
        wire.pay(open_setup().id)

        told = [event["type"] for event in wire.events()]

        assert told[-3:] == [
            "payment_method.attached",
            "setup_intent.succeeded",
            "checkout.session.completed",
        ]

    def test_stays_open_after_a_decline(self, client, open_setup, wire):
        session = open_setup()

        declined = wire.pay(session.id, card="4000000000000002")

        assert declined.status == 402
        assert "Your card was declined." in declined.body.decode()
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        assert wire.pay(session.id).status == 303

    def test_passes_3d_secure_once_for_all(self, client, alice, open_setup, wire):
        session = open_setup()
        asked = wire.pay(session.id, card="4000002500003155")
        wire.answer_challenge(session.id, approve=True)
        [card] = client.v1.customers.payment_methods.list(alice.id).data

        paid = client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": alice.id,
                "payment_method": card.id,
                "off_session": True,
                "confirm": True,
            }
        )

        assert asked.headers["Location"] == f"/c/pay/{session.id}/authenticate"
        assert paid.status == "succeeded"

    def test_saves_nothing_when_3d_secure_fails(self, client, alice, open_setup, wire):
        session = open_setup()
        wire.pay(session.id, card="4000002500003155")

        failed = wire.answer_challenge(session.id, approve=False)

        assert failed.status == 402
        assert client.v1.customers.payment_methods.list(alice.id).data == []

    def test_says_that_it_is_done(self, open_setup, wire):
        session = open_setup()
        wire.pay(session.id)

        again = wire.pay(session.id)

        assert again.status == 200
        assert "Your card is saved" in again.body.decode()

    def test_shows_no_amount(self, open_setup, wire):
        shown = wire.sandbox.handle("GET", f"/c/pay/{open_setup().id}", {})

        assert "You are not charged today." in shown.body.decode()
        assert "$" not in shown.body.decode()
