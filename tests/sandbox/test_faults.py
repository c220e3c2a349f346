"""Failures at the wire, met by the SDK's own retries."""

from __future__ import annotations

import pytest
import stripe


class TestFaults:
    def test_loses_a_request_before_it_is_executed(self, wire, client):
        wire.fail_next("reset")

        with pytest.raises(stripe.APIConnectionError):
            client.v1.customers.create({})

        assert client.v1.customers.list().data == []

    def test_loses_the_answer_to_an_executed_request(self, wire, client):
        wire.fail_next("timeout_after_commit")

        with pytest.raises(stripe.APIConnectionError):
            client.v1.customers.create({})

        assert len(client.v1.customers.list().data) == 1

    def test_is_healed_by_a_retry_with_the_same_key(self, wire):
        retrying = wire.client(max_network_retries=2)
        wire.fail_next("timeout_after_commit")

        customer = retrying.v1.customers.create({})

        assert customer.last_response.headers["idempotent-replayed"] == "true"
        assert len(retrying.v1.customers.list().data) == 1
        assert wire.http_client.requests.count("POST /v1/customers") == 2

    def test_outlasts_the_retries_when_told_to(self, wire):
        retrying = wire.client(max_network_retries=2)
        wire.fail_next("reset", times=3)

        with pytest.raises(stripe.APIConnectionError):
            retrying.v1.customers.create({})

    def test_limits_the_rate(self, wire, client):
        wire.fail_next("429")

        with pytest.raises(stripe.RateLimitError) as caught:
            client.v1.customers.create({})

        assert caught.value.http_status == 429
        assert caught.value.error.code == "rate_limit"

    def test_answers_500_and_asks_not_to_retry(self, wire):
        retrying = wire.client(max_network_retries=2)
        wire.fail_next("500")

        with pytest.raises(stripe.APIError) as caught:
            retrying.v1.customers.create({})

        assert caught.value.headers["stripe-should-retry"] == "false"
        assert len(wire.http_client.requests) == 1

    def test_hits_only_the_request_that_is_named(self, wire, client):
        wire.fail_next("reset", on="POST /v1/refunds")

        assert client.v1.customers.create({}).object == "customer"
        with pytest.raises(stripe.APIConnectionError):
            client.v1.refunds.create({"charge": "ch_1"})

    def test_refuses_a_fault_that_it_does_not_know(self, wire):
        with pytest.raises(ValueError, match="503"):
            wire.fail_next("503")
