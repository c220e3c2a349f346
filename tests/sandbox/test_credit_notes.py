"""Credit notes on open and on paid invoices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe


@pytest.fixture
def invoice(client, alice) -> Callable[..., stripe.Invoice]:
    """Bill Alice $15.00 on two lines; with `pay`, she has paid."""

    def invoice(*, pay: bool = False) -> stripe.Invoice:
        drafted = client.v1.invoices.create({"customer": alice.id})
        for cents in (1000, 500):
            client.v1.invoice_items.create(
                {
                    "customer": alice.id,
                    "invoice": drafted.id,
                    "amount": cents,
                    "currency": "usd",
                }
            )
        finalized = client.v1.invoices.finalize_invoice(drafted.id)
        if not pay:
            return finalized
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})
        return client.v1.invoices.pay(drafted.id, {"payment_method": card.id})

    return invoice


@pytest.fixture
def credit(client) -> Callable[..., stripe.CreditNote]:
    def credit(invoice: stripe.Invoice, **params: Any) -> stripe.CreditNote:
        return client.v1.credit_notes.create({"invoice": invoice.id, **params})

    return credit


class TestOpenInvoice:
    def test_is_lowered(self, client, invoice, credit, wire):
        billed = invoice()

        note = credit(billed, amount=400)

        lowered = client.v1.invoices.retrieve(billed.id)
        assert (note.type, note.status) == ("pre_payment", "issued")
        assert note.number == f"{billed.number}-CN-01"
        assert (lowered.amount_due, lowered.amount_remaining) == (1100, 1100)
        assert lowered.pre_payment_credit_notes_amount == 400
        assert len(wire.events("credit_note.created")) == 1

    def test_is_then_charged_less(self, client, invoice, credit, alice, wire):
        billed = invoice()
        credit(billed, amount=400)
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})

        client.v1.invoices.pay(billed.id, {"payment_method": card.id})

        [charge] = wire.charges()
        assert charge["amount"] == 1100

    def test_is_paid_when_nothing_is_left(self, client, invoice, credit):
        billed = invoice()

        credit(billed, amount=1500)

        assert client.v1.invoices.retrieve(billed.id).status == "paid"

    def test_gets_back_what_is_voided(self, client, invoice, credit):
        billed = invoice()
        note = credit(billed, amount=400)

        voided = client.v1.credit_notes.void_credit_note(note.id)

        assert voided.status == "void"
        assert client.v1.invoices.retrieve(billed.id).amount_remaining == 1500


class TestPaidInvoice:
    def test_is_refunded_and_credited(self, client, invoice, credit, alice):
        paid = invoice(pay=True)

        note = credit(paid, amount=900, refund_amount=500, credit_amount=400)

        [given_back] = note.refunds
        refund = client.v1.refunds.retrieve(given_back.refund)
        assert note.type == "post_payment"
        assert refund.amount == 500
        assert client.v1.customers.retrieve(alice.id).balance == -400
        after = client.v1.invoices.retrieve(paid.id)
        assert after.post_payment_credit_notes_amount == 900

    def test_wants_to_know_how_the_money_goes_back(self, invoice, credit):
        with pytest.raises(stripe.InvalidRequestError, match="out of band amount"):
            credit(invoice(pay=True), amount=900, refund_amount=500)

    def test_is_not_credited_beyond_what_was_paid(self, invoice, credit):
        paid = invoice(pay=True)
        credit(paid, amount=1000, out_of_band_amount=1000)

        with pytest.raises(stripe.InvalidRequestError, match="what is left"):
            credit(paid, amount=501, out_of_band_amount=501)

    def test_keeps_its_credit_note(self, client, invoice, credit):
        note = credit(invoice(pay=True), amount=100, out_of_band_amount=100)

        with pytest.raises(stripe.InvalidRequestError, match="open invoices"):
            client.v1.credit_notes.void_credit_note(note.id)


class TestLines:
    def test_name_what_was_billed(self, invoice, credit):
        billed = invoice()
        [first, _] = billed.lines.data

        note = credit(
            billed,
            lines=[
                {"type": "invoice_line_item", "invoice_line_item": first.id},
                {
                    "type": "custom_line_item",
                    "description": "Sorry",
                    "unit_amount": 100,
                    "quantity": 2,
                },
            ],
        )

        assert [line.amount for line in note.lines.data] == [first.amount, 200]
        assert note.amount == first.amount + 200

    def test_name_nothing_else(self, invoice, credit):
        with pytest.raises(stripe.InvalidRequestError, match="il_none"):
            credit(
                invoice(),
                lines=[{"type": "invoice_line_item", "invoice_line_item": "il_none"}],
            )


class TestPreview:
    def test_leaves_nothing_behind(self, client, invoice, wire):
        billed = invoice()

        preview = client.v1.credit_notes.preview({"invoice": billed.id, "amount": 400})

        assert preview.amount == 400
        assert client.v1.credit_notes.list({"invoice": billed.id}).data == []
        assert client.v1.invoices.retrieve(billed.id).amount_remaining == 1500
        assert wire.events("credit_note.created") == []


class TestPdf:
    def test_says_what_was_credited(self, invoice, credit, wire):
        note = credit(invoice(), amount=400)

        file = wire.sandbox.handle("GET", urlsplit(note.pdf).path, {}).body

        assert file.startswith(b"%PDF")
        assert b"($4.00)" in file
