"""What happens when several ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import stripe

THREADS = 8


def at_once(function) -> list:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda _: function(), range(THREADS)))


class TestAtTheSameTime:
    def test_charges_a_session_once(self, wire, open_session):
        session = open_session()

        statuses = at_once(lambda: wire.pay(session.id).status)

        assert sorted(statuses) == [200] * (THREADS - 1) + [303]
        assert len(wire.charges()) == 1
        assert len(wire.events("checkout.session.completed")) == 1

    def test_executes_one_request_of_a_key(self, client):
        def create() -> str:
            try:
                return client.v1.customers.create({}, {"idempotency_key": "one"}).id
            except stripe.APIError as clash:
                return clash.error.code

        answers = set(at_once(create)) - {"idempotency_key_in_use"}

        [customer] = client.v1.customers.list().data
        assert answers == {customer.id}

    def test_never_refunds_more_than_was_charged(self, pay_now, client):
        intent = pay_now()

        def refund() -> int:
            try:
                params = {"payment_intent": intent.id, "amount": 200}
                return client.v1.refunds.create(params).amount
            except stripe.InvalidRequestError:
                return 0

        assert sorted(at_once(refund)) == [0] * (THREADS - 2) + [200, 200]
