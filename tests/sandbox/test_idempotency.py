from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from tests.stripe_wire import StripeWire

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
KEY = {"idempotency_key": "checkout:17:1"}


class TestIdempotencyKey:
    def test_gives_the_first_answer_again(self, client):
        first = client.v1.customers.create({"email": "a@b.example"}, KEY)
        second = client.v1.customers.create({"email": "a@b.example"}, KEY)

        assert second.id == first.id
        assert second.last_response.headers["idempotent-replayed"] == "true"
        assert second.last_response.headers["original-request"] == (
            first.last_response.request_id
        )
        assert len(client.v1.customers.list().data) == 1

    def test_marks_only_replays(self, client):
        customer = client.v1.customers.create({}, KEY)

        assert "idempotent-replayed" not in customer.last_response.headers

    def test_refuses_other_parameters(self, client):
        client.v1.customers.create({"email": "a@b.example"}, KEY)

        with pytest.raises(stripe.IdempotencyError) as caught:
            client.v1.customers.create({"email": "c@d.example"}, KEY)

        assert caught.value.http_status == 400
        assert caught.value.user_message == (
            "Keys for idempotent requests can only be used with the same parameters"
            " they were first used with. Try using a key other than 'checkout:17:1' if"
            " you meant to execute a different request."
        )

    def test_refuses_another_endpoint(self, client):
        client.v1.customers.create({}, KEY)

        with pytest.raises(stripe.IdempotencyError) as caught:
            client.v1.products.create({"name": "Block"}, KEY)

        assert "('/v1/customers' vs '/v1/products')" in caught.value.user_message

    def test_replays_a_decline(self, client):
        params = {
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "off_session": True,
            "payment_method": "pm_card_chargeDeclined",
        }

        with pytest.raises(stripe.CardError) as first:
            client.v1.payment_intents.create(params, KEY)
        with pytest.raises(stripe.CardError) as second:
            client.v1.payment_intents.create(params, KEY)

        assert second.value.headers["idempotent-replayed"] == "true"
        assert second.value.json_body == first.value.json_body
        assert len(client.v1.charges.list().data) == 1

    def test_replays_a_server_error(self, wire, client):
        wire.fail_next("500")

        with pytest.raises(stripe.APIError):
            client.v1.customers.create({}, KEY)
        with pytest.raises(stripe.APIError) as second:
            client.v1.customers.create({}, KEY)

        assert second.value.http_status == 500
        assert second.value.headers["idempotent-replayed"] == "true"
        assert client.v1.customers.list().data == []

    def test_is_free_again_after_a_validation_failure(self, client):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.create({"emial": "a@b.example"}, KEY)

        customer = client.v1.customers.create({"email": "a@b.example"}, KEY)

        assert customer.email == "a@b.example"

    def test_is_free_again_after_a_rate_limit(self, wire, client):
        wire.fail_next("429")
        with pytest.raises(stripe.RateLimitError):
            client.v1.customers.create({}, KEY)

        assert client.v1.customers.create({}, KEY).object == "customer"

    def test_is_refused_while_another_request_holds_it(self, wire, client):
        held = wire.sandbox.api.keys.holding("checkout:17:1")

        with held, pytest.raises(stripe.APIError) as caught:
            client.v1.customers.create({}, KEY)

        assert caught.value.http_status == 409
        assert caught.value.error.code == "idempotency_key_in_use"
        assert "another in-progress request" in caught.value.user_message

    def test_survives_a_restart(self, tmp_path):
        file = tmp_path / "stripe.sqlite"
        with closing(StripeWire(file)) as wire:
            first = wire.client().v1.customers.create({}, KEY)

        with closing(StripeWire(file)) as wire:
            again = wire.client().v1.customers.create({}, KEY)

        assert again.id == first.id

    def test_means_a_new_request_after_a_day(self, wire, client):
        wire.at(NOON)
        first = client.v1.customers.create({}, KEY)
        wire.at(NOON + timedelta(hours=25))

        assert client.v1.customers.create({}, KEY).id != first.id
