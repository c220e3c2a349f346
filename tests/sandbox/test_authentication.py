from __future__ import annotations

from base64 import b64encode

import pytest
import stripe


class TestAuthentication:
    def test_asks_for_a_key(self, wire):
        response = wire.sandbox.handle("GET", "/v1/customers", {})

        assert response.status == 401
        assert response.json()["error"]["message"].startswith(
            "You did not provide an API key."
        )

    def test_refuses_a_live_key_without_showing_it(self, wire):
        client = stripe.StripeClient(
            "sk_live_abcdefgh1234", http_client=wire.http_client
        )

        with pytest.raises(stripe.AuthenticationError) as caught:
            client.v1.customers.list()

        assert caught.value.http_status == 401
        assert caught.value.user_message == (
            "Invalid API Key provided: sk_live_********1234"
        )

    def test_refuses_a_publishable_key(self, wire):
        client = stripe.StripeClient(
            "pk_test_abcdefgh1234", http_client=wire.http_client
        )

        with pytest.raises(stripe.AuthenticationError):
            client.v1.customers.list()

    def test_takes_basic_authentication(self, wire):
        credentials = b64encode(b"sk_test_1:").decode()
        headers = {"Authorization": f"Basic {credentials}"}

        assert wire.sandbox.handle("GET", "/v1/customers", headers).status == 200


class TestHeaders:
    def test_names_the_request(self, client):
        customer = client.v1.customers.create({})

        assert customer.last_response.request_id.startswith("req_")

    def test_echoes_the_version_that_was_asked_for(self, client):
        customer = client.v1.customers.create(
            {}, {"stripe_version": "2025-09-30.clover"}
        )

        assert customer.last_response.headers["stripe-version"] == "2025-09-30.clover"

    def test_speaks_endive_to_whoever_names_no_version(self, wire):
        headers = {"Authorization": "Bearer sk_test_1"}
        response = wire.sandbox.handle("GET", "/v1/balance", headers)

        assert response.headers["Stripe-Version"] == "2026-10-28.endive"

    def test_is_pinned_to_the_version_of_the_sdk(self, client):
        customer = client.v1.customers.create({})

        assert customer.last_response.headers["stripe-version"] == (
            stripe.api_version or "2026-10-28.endive"
        )
