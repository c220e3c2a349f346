"""Checkout Sessions as the API sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def refused(open_session, **params) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        open_session(**params)
    return caught.value


class TestCreate:
    def test_opens_an_unpaid_session(self, open_session, alice):
        session = open_session(
            customer=alice.id, client_reference_id="7", metadata={"purchase": "1"}
        )

        assert session.id.startswith("cs_test_a1")
        assert (session.status, session.payment_status) == ("open", "unpaid")
        assert session.amount_total == 1500
        assert session.payment_intent is None
        assert session.customer == alice.id
        assert session.customer_details.email == "alice@acme.example"
        assert session.client_reference_id == "7"
        assert session.metadata.to_dict() == {"purchase": "1"}
        assert session.url == f"http://127.0.0.1:12111/c/pay/{session.id}"
        assert session.expires_at == session.created + 86400

    @pytest.mark.parametrize("name", ["mode", "line_items", "success_url"])
    def test_asks_for_what_a_hosted_payment_needs(self, open_session, client, name):
        params = {
            "mode": "payment",
            "line_items": [{"price": "price_1", "quantity": 1}],
            "success_url": "https://portal.example/done",
        }
        del params[name]

        error = refused(lambda: client.v1.checkout.sessions.create(params))

        assert error.code == "parameter_missing"
        assert error.param == name

    def test_asks_for_a_quantity(self, open_session, block):
        error = refused(open_session, line_items=[{"price": block.id}])

        assert (
            error.user_message
            == "Quantity is required. Add `quantity` to `line_items[0]`"
        )

    def test_refuses_a_recurring_price(self, open_session, client, block):
        monthly = client.v1.prices.create(
            {
                "currency": "usd",
                "product": block.product,
                "recurring": {"interval": "month"},
                "unit_amount": 900,
            }
        )

        error = refused(open_session, line_items=[{"price": monthly.id, "quantity": 1}])

        assert error.user_message.startswith(
            "You specified `payment` mode but passed a recurring price."
        )

    def test_refuses_an_inactive_price(self, open_session, client, block):
        client.v1.prices.update(block.id, {"active": False})

        error = refused(open_session)

        assert error.user_message == (
            "The price specified is inactive. This field only accepts active prices."
        )

    def test_sells_at_a_price_of_the_moment(self, open_session, client):
        line = {
            "price_data": {
                "currency": "usd",
                "product_data": {"name": "Gift"},
                "unit_amount": 700,
            },
            "quantity": 2,
        }

        session = open_session(line_items=[line])
        items = client.v1.checkout.sessions.line_items.list(session.id)

        assert session.amount_total == 1400
        assert items.data[0].description == "Gift"
        assert items.data[0].price.active is False

    def test_lists_its_items_as_they_were_given(self, open_session, client, block):
        lines = [{"price": block.id, "quantity": number} for number in (4, 2, 9)]

        session = open_session(line_items=lines)
        items = client.v1.checkout.sessions.line_items.list(session.id)

        assert [item.quantity for item in items.data] == [4, 2, 9]
        assert items.data[0].adjustable_quantity is None

    def test_bounds_adjustable_quantities_at_0_to_99_by_default(
        self, open_session, client, block
    ):
        line = {
            "price": block.id,
            "quantity": 1,
            "adjustable_quantity": {"enabled": True},
        }
        session = open_session(line_items=[line])

        [item] = client.v1.checkout.sessions.line_items.list(session.id).data

        assert item.adjustable_quantity.minimum == 0
        assert item.adjustable_quantity.maximum == 99

    @pytest.mark.parametrize(
        ("life", "sentence"),
        [
            (timedelta(minutes=29), "must be at least 30 minutes"),
            (timedelta(hours=25), "must be less than 24 hours"),
        ],
    )
    def test_lives_30_minutes_to_24_hours(self, open_session, wire, life, sentence):
        wire.at(NOON)

        error = refused(open_session, expires_at=int((NOON + life).timestamp()))

        assert error.param == "expires_at"
        assert sentence in error.user_message

    def test_takes_a_customer_or_an_email(self, open_session, alice):
        error = refused(open_session, customer=alice.id, customer_email="x@y.example")

        assert error.user_message == (
            "You may only specify one of these parameters: customer, customer_email."
        )

    @pytest.mark.parametrize(
        ("params", "what"),
        [
            ({"invoice_creation": {"enabled": True}}, "`invoice_creation` on Checkout"),
            ({"automatic_tax": {"enabled": True}}, "`automatic_tax` on Checkout"),
        ],
    )
    def test_says_what_the_sandbox_does_not_do(self, open_session, params, what):
        error = refused(open_session, **params)

        assert error.code == "sandbox_unsupported"
        assert error.user_message.startswith(what)


class TestLife:
    def test_expires_by_the_clock(self, open_session, client, wire):
        wire.at(NOON)
        ends_at = NOON + timedelta(minutes=30)
        session = open_session(expires_at=int(ends_at.timestamp()))
        wire.at(ends_at - timedelta(seconds=1))
        before = client.v1.checkout.sessions.retrieve(session.id)
        wire.at(ends_at + timedelta(hours=3))
        after = client.v1.checkout.sessions.retrieve(session.id)
        [event] = wire.events("checkout.session.expired")

        assert before.status == "open"
        assert (after.status, after.url) == ("expired", None)
        assert event["created"] == int(ends_at.timestamp())

    def test_is_expired_by_hand_once(self, open_session, client):
        session = open_session()
        client.v1.checkout.sessions.expire(session.id)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.checkout.sessions.expire(session.id)

        assert "has a status of `expired`" in caught.value.user_message

    def test_stays_complete_when_its_time_comes(self, open_session, client, wire):
        wire.at(NOON)
        session = open_session()
        wire.pay(session.id)
        wire.at(NOON + timedelta(days=2))

        assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
        assert wire.events("checkout.session.expired") == []

    def test_is_found_by_status_and_intent(self, open_session, client, wire):
        paid = open_session()
        wire.pay(paid.id)
        unpaid = open_session()
        intent = client.v1.checkout.sessions.retrieve(paid.id).payment_intent

        sessions = client.v1.checkout.sessions
        by_status = sessions.list({"status": "open"}).data
        by_intent = sessions.list({"payment_intent": intent}).data

        assert [session.id for session in by_status] == [unpaid.id]
        assert [session.id for session in by_intent] == [paid.id]
