from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

MOMENT = datetime(2027, 2, 1, tzinfo=UTC)


def post(wire, body: str):
    return wire.sandbox.handle("POST", "/_sandbox/clock", {}, body.encode())


class TestClock:
    def test_dates_what_is_created(self, wire, client):
        wire.at(MOMENT)

        assert client.v1.customers.create({}).created == MOMENT.timestamp()

    def test_is_moved_over_http(self, wire, client):
        moved = post(wire, json.dumps({"offset_s": 86400})).json()
        asked = wire.sandbox.handle("GET", "/_sandbox/clock", {}).json()

        assert moved["offset_s"] == asked["offset_s"] == 86400
        assert client.v1.customers.create({}).created >= _real_time() + 86000

    def test_is_set_to_a_time_over_http(self, wire, client):
        later = int(_real_time()) + 86_400

        moved = post(wire, json.dumps({"now": later})).json()

        assert later <= moved["now"] <= later + 5
        assert client.v1.customers.create({}).created >= later

    def test_tells_what_is_due_next(self, wire, open_session):
        before = wire.sandbox.handle("GET", "/_sandbox/clock", {}).json()
        session = open_session()
        after = wire.sandbox.handle("GET", "/_sandbox/clock", {}).json()

        assert before["next_due_at"] is None
        assert after["next_due_at"] == session.expires_at

    def test_works_off_what_became_due(self, wire, open_session):
        session = open_session()

        post(wire, json.dumps({"offset_s": 86401}))

        [expired] = wire.sandbox.store.find("checkout.session", status="expired")
        assert expired["id"] == session.id

    @pytest.mark.parametrize(
        "body", ["", "[]", '{"offset": 1}', '{"offset_s": "x"}', '{"now": "x"}']
    )
    def test_refuses_what_is_no_offset(self, wire, body):
        assert post(wire, body).status == 400

    def test_does_not_date_signatures(self, wire, client):
        wire.at(MOMENT)
        client.v1.customers.create({})
        [event] = wire.events()

        _, signature = wire.signed(event, "whsec_test")

        signed_at = int(signature.partition(",")[0].removeprefix("t="))
        assert abs(signed_at - _real_time()) < 5


def _real_time() -> float:
    return datetime.now(UTC).timestamp()
