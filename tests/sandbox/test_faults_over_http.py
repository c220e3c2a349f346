"""Faults that are ordered from another process."""

from __future__ import annotations

import json

import pytest
import stripe


def send(wire, method: str, body: object = None):
    encoded = json.dumps(body).encode()
    return wire.sandbox.handle(method, "/_sandbox/faults", {}, encoded)


class TestFaultsOverHttp:
    def test_are_ordered(self, wire, client):
        ordered = send(wire, "POST", {"kind": "500", "on": "POST /v1/c", "times": 2})

        fault = {"kind": "500", "on": "POST /v1/c"}
        assert ordered.json() == {"faults": [fault, fault]}
        with pytest.raises(stripe.APIError):
            client.v1.customers.create({})
        assert send(wire, "GET").json() == {"faults": [fault]}

    def test_are_forgotten(self, wire):
        send(wire, "POST", {"kind": "reset"})

        assert send(wire, "DELETE").json() == {"faults": []}

    @pytest.mark.parametrize(
        "body", [None, [], {}, {"kind": "503"}, {"kind": "500", "times": "x"}]
    )
    def test_are_refused_when_they_make_no_sense(self, wire, body):
        assert send(wire, "POST", body).status == 400
