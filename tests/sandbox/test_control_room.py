"""The control room: what a developer sees there and can bring about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import stripe

from stripe_sandbox.http_messages import Response


@pytest.fixture
def look(wire) -> Callable[[str], str]:
    return lambda path="/": wire.sandbox.handle("GET", path, {}).body.decode()


@pytest.fixture
def press(wire) -> Callable[..., Response]:
    def press(control: str, headers=None, **form: str) -> Response:
        body = urlencode(form).encode()
        return wire.sandbox.handle("POST", f"/control/{control}", headers or {}, body)

    return press


@pytest.fixture
def deliveries(wire, client) -> Callable[[], list[tuple[str, str]]]:
    """Listen to customers and say which deliveries there are, in order of sending."""
    client.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/", "enabled_events": ["customer.created"]}
    )

    def deliveries() -> list[tuple[str, str]]:
        rows = wire.sandbox.store.sql(
            "SELECT json_extract(e.body, '$.data.object.name') AS name, d.state"
            " FROM deliveries d JOIN objects e ON e.id = d.event_id"
            " ORDER BY d.due_at, d.id"
        )
        return [(row["name"], row["state"]) for row in rows]

    return deliveries


class TestPage:
    def test_is_whole_when_nothing_has_happened(self, look):
        page = look()

        assert "Nobody has paid yet." in page
        assert "Nothing has happened yet." in page

    def test_lists_payments_deliveries_events_and_objects(self, look, pay_now, client):
        client.v1.webhook_endpoints.create(
            {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}
        )
        intent = pay_now()
        page = look()

        assert f"/control/charges/{intent.latest_charge}" in page
        assert f"/control/objects/{intent.id}" in page
        assert page.count("charge.succeeded") >= 2
        assert "pending" in page

    def test_needs_neither_scripts_nor_styles_of_its_own(self, wire):
        response = wire.sandbox.handle("GET", "/", {})

        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "<script" not in response.body.decode()

    def test_shows_any_object_as_the_api_sends_it(self, look, alice):
        page = look(f"/control/objects/{alice.id}")

        assert "&#34;email&#34;: &#34;alice@acme.example&#34;" in page
        assert "customer.created" in page

    def test_takes_no_orders_from_other_sites(self, press, wire):
        response = press("faults", {"Sec-Fetch-Site": "cross-site"}, kind="500")

        assert response.status == 403
        assert wire.sandbox.faults.pending() == []


class TestClock:
    def test_goes_forward_by_a_day(self, press, client, wire):
        before = wire.sandbox.clock.now()

        assert press("clock", by="86400").headers["Location"] == "/#clock"

        assert client.v1.customers.create({}).created >= before + 86400

    def test_goes_to_a_moment_and_does_what_is_due(self, press, look, wire, client):
        session = client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "currency": "usd",
                "success_url": "https://portal.example/",
            }
        )

        press("clock", to="2031-02-01T12:00")

        assert "Feb 1, 2031, 12:00" in look()
        assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
        assert datetime.fromtimestamp(wire.sandbox.clock.now(), UTC).year == 2031

    @pytest.mark.parametrize(
        "form", [{"by": "-5"}, {"to": "1999-01-01T00:00"}, {"to": "soon"}, {}]
    )
    def test_never_goes_back(self, press, wire, form):
        response = press("clock", **form)

        assert response.status == 400
        assert wire.sandbox.clock.offset_s == 0


class TestFaults:
    def test_are_ordered_and_shown(self, press, look, client):
        press("faults", kind="429", on="POST /v1/customers", times="1")

        assert "429 on POST /v1/customers" in look()
        with pytest.raises(stripe.RateLimitError):
            client.v1.customers.create({})

    def test_are_forgotten(self, press, wire):
        press("faults", kind="500", times="3")

        press("faults", action="clear")

        assert wire.sandbox.faults.pending() == []

    def test_refuse_what_is_none(self, press):
        assert press("faults", kind="503").status == 400


class TestDeliveries:
    @pytest.fixture
    def ann_and_bob(self, client, deliveries):
        for name in ("Ann", "Bob"):
            client.v1.customers.create({"name": name})

    @pytest.fixture
    def first(self, wire, ann_and_bob) -> str:
        [row] = wire.sandbox.store.sql("SELECT min(id) AS id FROM deliveries")
        return str(row["id"])

    def test_are_sent_in_the_opposite_order(self, press, ann_and_bob, deliveries):
        press("deliveries", action="reverse")

        assert [name for name, _ in deliveries()] == ["Bob", "Ann"]

    def test_are_duplicated(self, press, first, deliveries):
        press("deliveries", action="send", delivery=first)

        assert [name for name, _ in deliveries()] == ["Ann", "Bob", "Ann"]

    def test_are_delayed(self, press, first, deliveries):
        press("deliveries", action="delay", delivery=first)

        assert [name for name, _ in deliveries()] == ["Bob", "Ann"]

    def test_are_dropped_and_can_be_found(self, press, first, deliveries, client):
        press("deliveries", action="drop", delivery=first)

        missed = client.v1.events.list({"delivery_success": False})
        assert deliveries() == [("Ann", "dropped"), ("Bob", "pending")]
        assert {event.data.object.name for event in missed.data} == {"Ann", "Bob"}

    def test_are_held_until_released(self, press, ann_and_bob, wire, look):
        press("deliveries", action="hold")
        held = wire.deliver()
        shown = look()
        press("deliveries", action="release")

        assert held == 0
        assert "On hold" in shown
        assert "On hold" not in look()


class TestPayment:
    @pytest.fixture
    def charge(self, pay_now) -> str:
        return pay_now().latest_charge

    def test_is_refunded_in_part_from_the_dashboard(self, press, charge, client, wire):
        press(f"charges/{charge}", action="refund", amount="$2.00")

        [refund] = client.v1.refunds.list({"charge": charge}).data
        [event] = wire.events("refund.created")
        assert refund.amount == 200
        assert event["request"] == {"id": None, "idempotency_key": None}

    def test_is_not_refunded_beyond_what_is_left(self, press, charge):
        response = press(f"charges/{charge}", action="refund", amount="5.01")

        assert response.status == 400
        assert "is greater than charge amount" in response.body.decode()

    @pytest.mark.parametrize("amount", ["", "x", "1.5", "-1"])
    def test_wants_an_amount(self, press, charge, amount):
        response = press(f"charges/{charge}", action="refund", amount=amount)

        assert "must look like 5.00" in response.body.decode()

    @pytest.mark.parametrize(
        ("kind", "decision", "status"),
        [
            ("fraudulent", "win", "won"),
            ("product_not_received", "lose", "lost"),
            ("inquiry", "win", "warning_closed"),
            ("inquiry", "escalate", "needs_response"),
        ],
    )
    def test_is_disputed_and_decided(
        self, press, charge, client, look, kind, decision, status
    ):
        press(f"charges/{charge}", action=kind)
        [dispute] = client.v1.disputes.list({"charge": charge}).data
        press(f"charges/{charge}", action=decision, dispute=dispute.id)

        assert client.v1.disputes.retrieve(dispute.id).status == status
        assert status.replace("_", " ") in look(f"/control/charges/{charge}")

    def test_is_disputed_once(self, press, charge):
        press(f"charges/{charge}", action="fraudulent")

        again = press(f"charges/{charge}", action="inquiry")

        assert again.status == 400
        assert "is disputed already" in again.body.decode()

    def test_is_warned_about(self, press, charge, client, look):
        press(f"charges/{charge}", action="warn")

        [warning] = client.v1.radar.early_fraud_warnings.list({"charge": charge}).data
        assert warning.actionable
        assert "Issued" in look(f"/control/charges/{charge}")
