"""The event log and the deliveries it leads to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import pairwise

import pytest
import stripe

from stripe_sandbox.engine.courier import Courier
from stripe_sandbox.engine.outbox import RETRY_AFTER_S, Outbox
from tests.stripe_wire import StripeWire

URL = "http://127.0.0.1:9/webhooks/stripe/"


class Receiver:
    """A portal that notes what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.answer = 200
        self.received: list[tuple[str, bytes, str]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.received.append((url, body, headers["Stripe-Signature"]))
        return self.answer


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def wire(receiver: Receiver):
    wire = StripeWire(sender=receiver)
    yield wire
    wire.close()


@pytest.fixture
def listen(client):
    def listen(*events: str, **params) -> stripe.WebhookEndpoint:
        return client.v1.webhook_endpoints.create(
            {"url": URL, "enabled_events": list(events), **params}
        )

    return listen


class TestEventLog:
    def test_names_the_request_that_caused_an_event(self, client, wire):
        customer = client.v1.customers.create({}, {"idempotency_key": "customer:1"})
        [event] = wire.events("customer.created")

        assert event["api_version"] == "2026-10-28.endive"
        assert event["data"]["object"]["id"] == customer.id
        assert event["request"] == {
            "id": customer.last_response.request_id,
            "idempotency_key": "customer:1",
        }

    def test_names_none_for_what_a_buyer_did(self, wire, open_session):
        wire.pay(open_session().id)
        [event] = wire.events("checkout.session.completed")

        assert event["request"] == {"id": None, "idempotency_key": None}

    def test_says_what_was_before(self, client, alice, wire):
        client.v1.customers.update(
            alice.id, {"name": "A.", "metadata": {"plan": "pro"}}
        )
        [event] = wire.events("customer.updated")

        assert event["data"]["previous_attributes"] == {
            "metadata": {"plan": None},
            "name": "Alice",
        }

    def test_is_silent_when_nothing_changes(self, client, alice, wire):
        client.v1.customers.update(alice.id, {"name": "Alice"})

        assert wire.events("customer.updated") == []

    def test_is_filtered_by_type(self, client, alice, block):
        one = client.v1.events.list({"type": "price.created"})
        several = client.v1.events.list({"types": ["price.created", "product.created"]})
        like = client.v1.events.list({"type": "customer.*"})

        assert [event.type for event in one.data] == ["price.created"]
        assert [event.type for event in several.data] == [
            "price.created",
            "product.created",
        ]
        assert [event.type for event in like.data] == ["customer.created"]

    def test_finds_what_was_not_delivered(self, client, listen, wire, receiver):
        listen("*")
        client.v1.customers.create({})
        receiver.answer = 500
        wire.deliver()
        missed = client.v1.events.list({"delivery_success": False})
        delivered = client.v1.events.list({"delivery_success": True})

        assert [event.type for event in missed.data] == ["customer.created"]
        assert missed.data[0].pending_webhooks == 1
        assert delivered.data == []


class TestWebhookEndpoint:
    def test_tells_its_secret_once(self, client, listen):
        created = listen("customer.created", api_version="2026-10-28.endive")
        found = client.v1.webhook_endpoints.retrieve(created.id)

        assert created.secret.startswith("whsec_")
        assert "secret" not in found
        assert found.status == "enabled"
        assert found.api_version == "2026-10-28.endive"

    def test_gets_only_what_it_listens_to(self, client, listen, wire, receiver, alice):
        listen("customer.updated")
        client.v1.customers.create({})
        client.v1.customers.update(alice.id, {"name": "A."})

        assert wire.deliver() == 1
        assert b'"type": "customer.updated"' in receiver.received[0][1]

    def test_gets_nothing_while_disabled(self, client, listen, wire):
        endpoint = listen("*")
        client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
        client.v1.customers.create({})

        assert wire.deliver() == 0

    def test_gets_nothing_once_deleted(self, client, listen, wire, receiver):
        endpoint = listen("*")
        client.v1.customers.create({})
        client.v1.webhook_endpoints.delete(endpoint.id)
        wire.deliver()

        assert receiver.received == []
        assert client.v1.webhook_endpoints.list().data == []

    def test_refuses_events_that_stripe_does_not_have(self, listen):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            listen("credits.granted")

        assert caught.value.param == "enabled_events[0]"

    def test_refuses_what_is_no_url(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.webhook_endpoints.create(
                {"url": "portal/webhooks", "enabled_events": ["*"]}
            )

        assert caught.value.code == "url_invalid"


class TestDelivery:
    def test_is_signed_so_that_the_sdk_believes_it(
        self, client, listen, wire, receiver
    ):
        endpoint = listen("*")
        customer = client.v1.customers.create({})
        wire.deliver()
        [(url, body, signature)] = receiver.received

        event = client.construct_event(body, signature, endpoint.secret)

        assert url == URL
        assert event.type == "customer.created"
        assert event.data.object.id == customer.id
        assert event.pending_webhooks == 1

    def test_is_believed_with_no_other_secret(self, client, listen, wire, receiver):
        listen("*")
        client.v1.customers.create({})
        wire.deliver()
        [(_, body, signature)] = receiver.received

        with pytest.raises(stripe.SignatureVerificationError):
            client.construct_event(body, signature, "whsec_other")

    def test_is_tried_again_with_backoff(self, client, listen, wire):
        listen("*")
        client.v1.customers.create({})
        now, tries = [_due_now(wire)], []

        def refuse(*_) -> int:
            tries.append(now[0])
            return 500

        courier = Courier(wire.sandbox.store, refuse, real_time=lambda: now[0])
        for wait_s in (0, *RETRY_AFTER_S, 86400):
            now[0] += wait_s
            courier.deliver_due()

        waits = [later - sooner for sooner, later in pairwise(tries)]
        assert waits == list(RETRY_AFTER_S)
        [row] = wire.sandbox.store.sql("SELECT state, attempts FROM deliveries")
        assert tuple(row) == ("failed", 1 + len(RETRY_AFTER_S))

    @pytest.mark.parametrize("status", [301, 404, 500])
    def test_counts_only_2xx_as_taken(self, client, listen, wire, receiver, status):
        listen("*")
        client.v1.customers.create({})
        receiver.answer = status
        wire.deliver()

        [row] = wire.sandbox.store.sql("SELECT state, answer FROM deliveries")

        assert tuple(row) == ("pending", f"HTTP {status}")

    def test_can_be_made_by_the_test_itself(self, client, wire):
        client.v1.customers.create({})
        [event] = wire.events()

        body, signature = wire.signed(event, "whsec_test")

        assert client.construct_event(body, signature, "whsec_test").id == event["id"]


class TestMess:
    def test_reorders_and_doubles_but_loses_nothing(self, client, listen, wire):
        listen("*")
        events = [client.v1.customers.create({}).id for _ in range(40)]
        store = wire.sandbox.store
        store.sql("DELETE FROM deliveries")
        mess = random.Random(1)  # noqa: S311 - disorder
        outbox = Outbox(store, mess=mess)
        for event in wire.events():
            outbox.enqueue(event)

        rows = store.sql("SELECT event_id FROM deliveries ORDER BY due_at")
        sent = [row["event_id"] for row in rows]
        logged = [event["id"] for event in wire.events()]

        assert len(events) == len(set(sent)) == len(logged)
        assert len(sent) > len(logged)
        assert list(dict.fromkeys(sent)) != logged


def _due_now(wire: StripeWire) -> float:
    [row] = wire.sandbox.store.sql("SELECT due_at FROM deliveries")
    return float(row["due_at"])
