"""The hosted checkout, form by form."""

from __future__ import annotations

import pytest

from tests.stripe_wire import StripeWire


def shown(wire: StripeWire, session_id: str) -> str:
    return wire.sandbox.handle("GET", f"/c/pay/{session_id}", {}).body.decode()


class TestPaying:
    def test_sends_the_buyer_back_with_the_session_id(self, wire, open_session):
        session = open_session()

        response = wire.pay(session.id)

        assert response.status == 303
        assert response.headers["Location"] == (
            f"https://portal.example/done?s={session.id}"
        )

    def test_completes_the_session(self, wire, open_session, client):
        session = open_session(payment_intent_data={"metadata": {"purchase": "1"}})
        wire.pay(session.id)

        paid = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["payment_intent"]}
        )

        assert (paid.status, paid.payment_status) == ("complete", "paid")
        assert paid.url is None
        assert paid.customer is None
        assert paid.customer_details.email == "buyer@example.com"
        assert paid.payment_intent.metadata.to_dict() == {"purchase": "1"}
        assert paid.payment_intent.amount_received == 1500

    def test_tells_its_events_in_stripes_order(self, wire, open_session):
        session = open_session()
        wire.pay(session.id)

        told = [event["type"] for event in wire.events()]

        assert told[-5:] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.updated",
        ]

    def test_charges_the_quantity_that_the_buyer_chose(
        self, wire, open_session, client
    ):
        session = open_session()
        wire.pay(session.id, quantity=7)

        [item] = client.v1.checkout.sessions.line_items.list(session.id).data
        [charge] = wire.charges()

        assert (item.quantity, item.amount_total) == (7, 3500)
        assert charge["amount"] == 3500

    @pytest.mark.parametrize(("typed", "held"), [(0, 1), (51, 50), (999999, 50)])
    def test_holds_the_quantity_within_its_bounds(
        self, wire, open_session, client, typed, held
    ):
        session = open_session()
        wire.pay(session.id, quantity=typed)

        [item] = client.v1.checkout.sessions.line_items.list(session.id).data

        assert item.quantity == held

    def test_shows_the_new_total_without_paying(self, wire, open_session):
        session = open_session()

        response = wire.pay(session.id, quantity=4, action="update")

        assert response.status == 200
        assert "$20.00" in response.body.decode()
        assert wire.charges() == []

    def test_keeps_a_session_open_after_a_decline(self, wire, open_session, client):
        session = open_session()

        declined = wire.pay(session.id, card="4000 0000 0000 9995")
        retried = wire.pay(session.id)

        assert declined.status == 402
        assert "Your card has insufficient funds." in declined.body.decode()
        assert retried.status == 303
        assert [charge["status"] for charge in wire.charges()] == [
            "failed",
            "succeeded",
        ]
        assert len(client.v1.payment_intents.list().data) == 1

    def test_charges_once_however_often_it_is_sent(self, wire, open_session):
        session = open_session()
        wire.pay(session.id)

        again = wire.pay(session.id)

        assert again.status == 200
        assert "You have already paid" in again.body.decode()
        assert len(wire.charges()) == 1

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"email": "nobody"}, "Your email is invalid."),
            ({"expiry": "13 / 34"}, "Your card&#39;s expiration date is incomplete."),
            ({"expiry": "01 / 20"}, "Your card&#39;s expiration year is in the past."),
            ({"cvc": "1"}, "Your card&#39;s security code is incomplete."),
            ({"name": " "}, "Required"),
        ],
    )
    def test_says_what_is_missing(self, wire, open_session, typed, sentence):
        session = open_session()

        response = wire.pay(session.id, **typed)

        assert response.status == 422
        assert sentence in response.body.decode()
        assert wire.charges() == []

    def test_refuses_a_wrong_number_without_a_charge(self, wire, open_session):
        session = open_session()

        response = wire.pay(session.id, card="4242424242424241")

        assert response.status == 402
        assert "Your card number is incorrect." in response.body.decode()
        assert wire.charges() == []

    def test_keeps_the_email_that_the_merchant_knows(
        self, wire, open_session, alice, client
    ):
        session = open_session(customer=alice.id)
        wire.pay(session.id, email="other@example.com")

        paid = client.v1.checkout.sessions.retrieve(session.id)

        assert paid.customer_details.email == "alice@acme.example"

    def test_takes_over_the_name_when_asked_to(self, wire, open_session, alice, client):
        session = open_session(
            customer=alice.id, customer_update={"name": "auto", "address": "auto"}
        )
        wire.pay(session.id)

        customer = client.v1.customers.retrieve(alice.id)

        assert customer.name == "Bea Buyer"
        assert customer.address.country == "US"

    def test_saves_the_card_when_asked_to(self, wire, open_session, alice, client):
        session = open_session(
            customer=alice.id, payment_intent_data={"setup_future_usage": "off_session"}
        )
        notice = "you allow Purser Demo to charge this card"
        page = shown(wire, session.id)
        wire.pay(session.id)

        [card] = client.v1.customers.payment_methods.list(alice.id).data
        [charge] = wire.charges()

        assert notice in page
        assert charge["payment_method"] == card.id
        assert len(wire.events("payment_method.attached")) == 1

    def test_makes_a_customer_of_a_guest_whose_card_is_saved(
        self, wire, open_session, client
    ):
        session = open_session(
            payment_intent_data={"setup_future_usage": "off_session"}
        )
        wire.pay(session.id)

        paid = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["customer"]}
        )

        assert paid.customer.email == "buyer@example.com"


class TestChallenge:
    def test_pays_when_approved(self, wire, open_session, client):
        session = open_session()

        asked = wire.pay(session.id, card="4000000000003220")
        approved = wire.answer_challenge(session.id, approve=True)

        assert asked.headers["Location"] == f"/c/pay/{session.id}/authenticate"
        assert approved.headers["Location"] == (
            f"https://portal.example/done?s={session.id}"
        )
        assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
        assert len(wire.events("payment_intent.requires_action")) == 1

    def test_leaves_the_session_open_when_failed(self, wire, open_session, client):
        session = open_session()
        wire.pay(session.id, card="4000000000003220")

        failed = wire.answer_challenge(session.id, approve=False)

        assert failed.status == 402
        assert "has failed authentication" in failed.body.decode()
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        assert wire.pay(session.id).status == 303

    def test_can_be_declined_after_it(self, wire, open_session):
        session = open_session()
        wire.pay(session.id, card="4000008400001629")

        declined = wire.answer_challenge(session.id, approve=True)

        assert declined.status == 402
        assert "Your card was declined." in declined.body.decode()

    def test_is_shown_again_when_the_buyer_comes_back(self, wire, open_session):
        session = open_session()
        wire.pay(session.id, card="4000000000003220")

        response = wire.sandbox.handle("GET", f"/c/pay/{session.id}", {})

        assert response.headers["Location"] == f"/c/pay/{session.id}/authenticate"

    def test_is_not_wanted_again_off_session_by_a_card_that_passed(
        self, wire, open_session, alice, client, pay_now
    ):
        session = open_session(
            customer=alice.id, payment_intent_data={"setup_future_usage": "off_session"}
        )
        wire.pay(session.id, card="4000002500003155")
        wire.answer_challenge(session.id, approve=True)
        [card] = client.v1.customers.payment_methods.list(alice.id).data

        assert pay_now(card.id).status == "succeeded"


class TestPage:
    def test_shows_what_is_bought(self, wire, open_session):
        page = shown(wire, open_session().id)

        assert "Block of 100 credits" in page
        assert "Pay <span data-total>$15.00</span>" in page
        assert "Test mode" in page
        assert 'href="https://portal.example/buy"' in page

    def test_says_that_a_session_has_expired(self, wire, open_session, client):
        session = open_session()
        client.v1.checkout.sessions.expire(session.id)

        response = wire.sandbox.handle("GET", f"/c/pay/{session.id}", {})

        assert response.status == 410
        assert "This page has expired" in response.body.decode()

    def test_lets_its_form_lead_to_the_merchant_and_nowhere_else(
        self, wire, open_session
    ):
        path = f"/c/pay/{open_session().id}"

        policy = wire.sandbox.handle("GET", path, {}).headers["Content-Security-Policy"]

        assert "form-action 'self' https://portal.example;" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy

    def test_escapes_what_others_wrote(self, wire, open_session, client):
        line = {
            "price_data": {
                "currency": "usd",
                "product_data": {"name": "<script>alert(1)</script>"},
                "unit_amount": 700,
            },
            "quantity": 1,
        }

        page = shown(wire, open_session(line_items=[line]).id)

        assert "<script>alert" not in page

    @pytest.mark.parametrize(
        "path", ["/c/pay/cs_test_none", "/nothing", "/assets/nothing.css",
                 "/assets/../site.py", "/receipts/ch_none"],
    )  # fmt: skip
    def test_answers_404_where_there_is_nothing(self, wire, path):
        assert wire.sandbox.handle("GET", path, {}).status == 404

    def test_lists_open_sessions_on_the_index(self, wire, open_session):
        session = open_session()

        index = wire.sandbox.handle("GET", "/", {}).body.decode()

        assert "Purser's Stripe sandbox" in index
        assert session.url in index
