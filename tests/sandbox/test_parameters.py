"""The check of parameters against the types of the SDK."""

from __future__ import annotations

import pytest
import stripe

from stripe_sandbox.contract.operations import operations


def refused(call, *arguments) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*arguments)
    assert caught.value.http_status == 400
    return caught.value


class TestParameters:
    def test_knows_every_operation_of_the_sdk(self):
        assert len(operations()) == 556

    def test_refuses_an_unknown_one(self, client):
        error = refused(client.v1.customers.create, {"emial": "a@b.example"})

        assert error.code == "parameter_unknown"
        assert error.param == "emial"
        assert error.user_message == "Received unknown parameter: emial"

    def test_refuses_several_unknown_ones_together(self, client):
        error = refused(client.v1.customers.create, {"one": "1", "two": "2"})

        assert error.user_message == "Received unknown parameters: one, two"

    def test_refuses_a_nested_unknown_one(self, client):
        line = {"price": "price_1", "quanity": 2}
        error = refused(client.v1.checkout.sessions.create, {"line_items": [line]})

        assert error.param == "line_items[0][quanity]"

    def test_asks_for_a_missing_one(self, client):
        error = refused(client.v1.prices.create, {"unit_amount": 500})

        assert error.code == "parameter_missing"
        assert error.param == "currency"
        assert error.user_message == "Missing required param: currency."

    def test_asks_for_a_nested_missing_one(self, client):
        params = {"currency": "usd", "recurring": {"interval_count": 1}}
        error = refused(client.v1.prices.create, params)

        assert error.param == "recurring[interval]"

    def test_refuses_what_is_no_integer(self, client):
        params = {"currency": "usd", "unit_amount": "5.00"}
        error = refused(client.v1.prices.create, params)

        assert error.code == "parameter_invalid_integer"
        assert error.user_message == "Invalid integer: 5.00"

    def test_refuses_what_is_no_boolean(self, client):
        error = refused(client.v1.prices.list, {"active": "yes"})

        assert error.user_message == "Invalid boolean: yes"

    def test_refuses_a_value_that_the_enumeration_lacks(self, client):
        error = refused(client.v1.checkout.sessions.create, {"mode": "gift"})

        assert error.param == "mode"
        assert error.user_message == (
            "Invalid mode: must be one of payment, setup, or subscription"
        )

    def test_refuses_to_unset_what_cannot_be_unset(self, client):
        error = refused(client.v1.customers.create, {"email": ""})

        assert error.code == "parameter_invalid_empty"
        assert error.user_message.startswith("You passed an empty string for 'email'.")

    def test_takes_a_number_or_a_range_where_both_are_offered(self, client, alice):
        exact = client.v1.customers.list({"created": alice.created})
        later = client.v1.customers.list({"created": {"gt": alice.created}})

        assert [customer.id for customer in exact.data] == [alice.id]
        assert later.data == []

    def test_refuses_payment_method_types_since_endive(self, client):
        params = {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
        error = refused(client.v1.payment_intents.create, params)

        assert error.code == "payment_method_types_no_longer_supported"

    def test_refuses_payment_method_types_on_checkout_too(self, open_session):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_session(payment_method_types=["card"])

        assert caught.value.code == "payment_method_types_no_longer_supported"
        assert caught.value.param == "payment_method_types"

    def test_takes_allowed_payment_method_types(self, open_session):
        session = open_session(allowed_payment_method_types=["card"])

        assert session.allowed_payment_method_types == ["card"]
        assert session.payment_method_types == ["card"]


class TestRoutes:
    def test_says_when_stripe_offers_it_but_the_sandbox_does_not(self, client):
        error = refused(client.v1.payouts.list)

        assert error.code == "sandbox_unsupported"
        assert error.user_message == "GET /v1/payouts is not part of this sandbox."

    def test_answers_404_where_stripe_has_nothing(self, wire):
        headers = {"Authorization": "Bearer sk_test_1"}
        response = wire.sandbox.handle("GET", "/v1/credits", headers)

        assert response.status == 404
        assert response.json()["error"]["message"].startswith(
            "Unrecognized request URL (GET: /v1/credits)."
        )

    def test_answers_404_for_an_unknown_id(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.retrieve("cus_none")

        assert caught.value.http_status == 404
        assert caught.value.code == "resource_missing"
        assert caught.value.user_message == "No such customer: 'cus_none'"


class TestUnsupported:
    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [
            ("GET", "/v1/charges?transfer_group=a", ""),
            ("GET", "/v1/balance_transactions?payout=po_1", ""),
            ("GET", "/v1/invoices?customer_account=acct_1", ""),
            ("GET", "/v1/checkout/sessions?payment_link=plink_1", ""),
            ("GET", "/v1/products?shippable=true", ""),
            ("POST", "/v1/payment_methods", "type=card&radar_options[session]=a"),
            ("POST", "/v1/webhook_endpoints",
             "url=https://a.example&enabled_events[]=*&connect=true"),
        ],
    )  # fmt: skip
    def test_is_refused_and_never_ignored(self, wire, method, target, body):
        headers = {"Authorization": "Bearer sk_test_1"}

        answer = wire.sandbox.handle(method, target, headers, body.encode())

        assert answer.json()["error"]["code"] == "sandbox_unsupported"
