"""The hosted invoice and its PDF."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import stripe


@pytest.fixture
def plan(client) -> stripe.Price:
    return client.v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": "Creator (monthly) \\ 300"},
            "recurring": {"interval": "month"},
            "unit_amount": 900,
        }
    )


@pytest.fixture
def subscribe(client, alice, plan) -> Callable[[str], stripe.Subscription]:
    def subscribe(card: str) -> stripe.Subscription:
        method = client.v1.payment_methods.attach(card, {"customer": alice.id})
        return client.v1.subscriptions.create(
            {
                "customer": alice.id,
                "items": [{"price": plan.id}],
                "default_payment_method": method.id,
                "expand": ["latest_invoice"],
            }
        )

    return subscribe


@pytest.fixture
def unpaid(subscribe) -> stripe.Subscription:
    """A subscription whose first payment failed."""
    return subscribe("pm_card_chargeCustomerFail")


@pytest.fixture
def look(wire) -> Callable[[str], bytes]:
    return lambda url: wire.sandbox.handle("GET", urlsplit(url).path, {}).body


class TestPage:
    def test_shows_what_is_due(self, unpaid, look):
        page = look(unpaid.latest_invoice.hosted_invoice_url).decode()

        assert unpaid.latest_invoice.number in page
        assert "Creator (monthly)" in page
        assert "Pay $9.00" in page

    def test_shows_what_was_paid(self, subscribe, look):
        paid = subscribe("pm_card_visa").latest_invoice

        page = look(paid.hosted_invoice_url).decode()

        assert '<span class="state succeeded">Paid</span>' in page
        assert "Pay with card" not in page

    def test_is_not_there_for_a_draft(self, client, alice, wire):
        draft = client.v1.invoices.create({"customer": alice.id})

        assert wire.sandbox.handle("GET", f"/invoices/{draft.id}", {}).status == 404

    def test_shows_credits_with_their_sign(self, client, subscribe, look, plan):
        subscription = subscribe("pm_card_visa")
        [item] = subscription.items.data
        changed = client.v1.subscriptions.update(
            subscription.id,
            {
                "items": [{"id": item.id, "quantity": 2}],
                "proration_behavior": "always_invoice",
                "expand": ["latest_invoice"],
            },
        )

        page = look(changed.latest_invoice.hosted_invoice_url).decode()

        assert "-$9.00" in page


class TestPaying:
    def test_brings_the_subscription_to_life(self, client, unpaid, wire):
        response = wire.pay_invoice(unpaid.latest_invoice.id)

        subscription = client.v1.subscriptions.retrieve(
            unpaid.id, {"expand": ["default_payment_method", "latest_invoice"]}
        )
        assert response.status == 303
        assert subscription.status == "active"
        assert subscription.latest_invoice.status == "paid"
        assert subscription.default_payment_method.card.last4 == "4242"

    def test_says_why_a_card_is_declined(self, unpaid, wire):
        response = wire.pay_invoice(unpaid.latest_invoice.id, card="4000000000000341")

        assert response.status == 402
        assert "Your card was declined." in response.body.decode()

    def test_asks_the_bank_when_the_card_wants_it(self, client, unpaid, wire):
        asked = wire.pay_invoice(unpaid.latest_invoice.id, card="4000002760003184")
        path = urlsplit(asked.headers["Location"]).path
        answered = wire.sandbox.handle("POST", path, {}, b"answer=approve")

        back = answered.headers["Location"]
        assert path.startswith("/3ds/pi_")
        assert back.startswith(unpaid.latest_invoice.hosted_invoice_url)
        assert client.v1.subscriptions.retrieve(unpaid.id).status == "active"

    def test_helps_with_a_payment_that_waits_for_the_bank(
        self, client, subscribe, look, wire
    ):
        waiting = subscribe("pm_card_authenticationRequired")
        page = look(waiting.latest_invoice.hosted_invoice_url).decode()
        path = urlsplit(waiting.latest_invoice.hosted_invoice_url).path

        asked = wire.sandbox.handle("POST", path, {}, b"action=confirm")
        challenge = urlsplit(asked.headers["Location"]).path
        wire.sandbox.handle("POST", challenge, {}, b"answer=approve")

        assert "Your bank has a question" in page
        assert client.v1.subscriptions.retrieve(waiting.id).status == "active"

    def test_happens_once(self, unpaid, wire):
        wire.pay_invoice(unpaid.latest_invoice.id)

        again = wire.pay_invoice(unpaid.latest_invoice.id)

        paid = [each for each in wire.charges() if each["paid"]]
        assert again.status == 200
        assert len(paid) == 1


class TestPdf:
    def test_is_well_formed(self, unpaid, look):
        file = look(unpaid.latest_invoice.invoice_pdf)

        table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", file)[1])
        offsets = re.findall(rb"(\d{10}) 00000 n ", file[table:])
        starts = [file[int(offset) :].split(b"\n")[0] for offset in offsets]
        assert file.startswith(b"%PDF-1.4")
        assert file[table:].startswith(b"xref\n0 ")
        assert starts == [b"%d 0 obj" % n for n in range(1, len(starts) + 1)]

    def test_has_streams_as_long_as_it_says(self, unpaid, look):
        file = look(unpaid.latest_invoice.invoice_pdf)

        stream = rb"/Length (\d+) >>\nstream\n(.*?)endstream"
        found = re.findall(stream, file, re.DOTALL)

        assert [int(length) for length, _ in found] == [len(each) for _, each in found]
        assert found

    def test_says_what_the_invoice_says(self, unpaid, look):
        file = look(unpaid.latest_invoice.invoice_pdf)

        assert f"(Number: {unpaid.latest_invoice.number})".encode() in file
        assert b"(Status: Due)" in file
        assert b"Creator \\(monthly\\) \\\\ 300" in file
        assert b"($9.00)" in file

    def test_goes_on_on_another_page(self, client, alice, look):
        invoice = client.v1.invoices.create({"customer": alice.id})
        for number in range(60):
            client.v1.invoice_items.create(
                {
                    "customer": alice.id,
                    "invoice": invoice.id,
                    "amount": 100,
                    "currency": "usd",
                    "description": f"Extra {number}",
                }
            )
        invoice = client.v1.invoices.finalize_invoice(invoice.id)

        file = look(invoice.invoice_pdf)

        assert b"/Count 2" in file
        assert b"(Extra 59)" in file

    def test_is_served_as_a_file(self, unpaid, wire):
        path = urlsplit(unpaid.latest_invoice.invoice_pdf).path

        headers = wire.sandbox.handle("GET", path, {}).headers

        assert headers["Content-Type"] == "application/pdf"
        assert unpaid.latest_invoice.number in headers["Content-Disposition"]
