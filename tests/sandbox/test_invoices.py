"""Invoices and invoice items of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def bill(client, alice):
    """Draft an invoice of one amount."""

    def bill(cents: int = 5000, **params):
        client.v1.invoice_items.create(
            {"customer": alice.id, "amount": cents, "currency": "usd",
             "description": "Setup"}
        )  # fmt: skip
        return client.v1.invoices.create(
            {
                "customer": alice.id,
                "pending_invoice_items_behavior": "include",
                **params,
            }
        )

    return bill


class TestDraft:
    def test_takes_what_is_pending(self, client, bill):
        invoice = bill()

        [line] = invoice.lines.data
        [item] = client.v1.invoice_items.list({"pending": False}).data
        assert (invoice.status, invoice.total, invoice.billing_reason) == (
            "draft",
            5000,
            "manual",
        )
        assert (line.description, line.amount) == ("Setup", 5000)
        assert line.parent.invoice_item_details.invoice_item == item.id
        assert item.invoice == invoice.id
        assert client.v1.invoice_items.list({"pending": True}).data == []

    def test_leaves_pending_items_alone_unless_asked_to(self, client, alice, bill):
        client.v1.invoice_items.create(
            {"customer": alice.id, "amount": 100, "currency": "usd"}
        )

        invoice = client.v1.invoices.create({"customer": alice.id})

        assert invoice.lines.data == []

    def test_takes_further_items(self, client, alice, block, bill):
        invoice = bill()

        client.v1.invoice_items.create(
            {
                "customer": alice.id,
                "invoice": invoice.id,
                "pricing": {"price": block.id},
                "quantity": 3,
            }
        )

        after = client.v1.invoices.retrieve(invoice.id)
        assert after.total == 6500
        assert after.lines.data[1].description == "Block of 100 credits"

    def test_has_no_address_until_it_is_final(self, bill):
        invoice = bill()

        assert invoice.hosted_invoice_url is None
        assert invoice.invoice_pdf is None
        assert invoice.number is None

    def test_is_deleted_and_its_items_wait_again(self, client, bill):
        invoice = bill()

        gone = client.v1.invoices.delete(invoice.id)

        assert gone.deleted
        assert len(client.v1.invoice_items.list({"pending": True}).data) == 1

    def test_with_auto_advance_is_collected_an_hour_later(
        self, client, wire, alice, put_card, bill
    ):
        wire.at(NOON)
        put_card(alice)
        invoice = bill(auto_advance=True)
        wire.at(NOON + timedelta(hours=1))

        assert client.v1.invoices.retrieve(invoice.id).status == "paid"

    def test_without_auto_advance_stays(self, client, wire, alice, put_card, bill):
        wire.at(NOON)
        put_card(alice)
        invoice = bill()
        wire.at(NOON + timedelta(days=9))

        assert client.v1.invoices.retrieve(invoice.id).status == "draft"


class TestFinalize:
    def test_gives_a_number_and_addresses(self, client, alice, bill):
        invoice = client.v1.invoices.finalize_invoice(bill().id)

        prefix = client.v1.customers.retrieve(alice.id).invoice_prefix
        assert invoice.status == "open"
        assert invoice.number == f"{prefix}-0001"
        assert invoice.hosted_invoice_url.endswith(f"/invoices/{invoice.id}")
        assert invoice.invoice_pdf.endswith(f"/invoices/{invoice.id}/pdf")

    def test_counts_on(self, client, bill):
        numbers = [
            client.v1.invoices.finalize_invoice(bill().id).number[-4:] for _ in range(3)
        ]

        assert numbers == ["0001", "0002", "0003"]

    def test_links_the_payment_both_ways(self, client, bill):
        invoice = client.v1.invoices.finalize_invoice(
            bill().id, {"expand": ["payments"]}
        )
        [payment] = invoice.payments.data

        [found] = client.v1.invoice_payments.list(
            {
                "payment": {
                    "type": "payment_intent",
                    "payment_intent": payment.payment.payment_intent,
                }
            }
        ).data

        assert (found.id, found.invoice) == (payment.id, invoice.id)
        assert (found.status, found.amount_requested) == ("open", 5000)
        assert client.v1.invoice_payments.retrieve(found.id).id == found.id

    def test_twice_is_refused(self, client, bill):
        invoice = client.v1.invoices.finalize_invoice(bill().id)

        with pytest.raises(stripe.InvalidRequestError):
            client.v1.invoices.finalize_invoice(invoice.id)

    def test_of_nothing_is_paid(self, client, alice):
        draft = client.v1.invoices.create({"customer": alice.id})

        invoice = client.v1.invoices.finalize_invoice(draft.id)

        assert (invoice.status, invoice.amount_paid) == ("paid", 0)

    def test_of_less_than_a_card_takes_is_put_on_the_balance(self, client, alice, bill):
        invoice = client.v1.invoices.finalize_invoice(bill(49).id)

        assert (invoice.status, invoice.amount_due) == ("paid", 0)
        assert client.v1.customers.retrieve(alice.id).balance == 49

    def test_takes_the_balance_first(self, client, alice, bill):
        client.v1.customers.update(alice.id, {"balance": -2000})

        invoice = client.v1.invoices.finalize_invoice(bill().id)

        assert (invoice.total, invoice.amount_due) == (5000, 3000)
        assert (invoice.starting_balance, invoice.ending_balance) == (-2000, 0)
        assert client.v1.customers.retrieve(alice.id).balance == 0


class TestPay:
    def test_with_the_card_on_file(self, client, wire, alice, put_card, bill):
        put_card(alice)

        invoice = client.v1.invoices.pay(bill().id)

        assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == (
            "paid",
            5000,
            0,
        )
        assert invoice.status_transitions.paid_at is not None
        [paid] = wire.events("invoice_payment.paid")
        assert paid["data"]["object"]["amount_paid"] == 5000

    def test_books_the_charge_less_its_fee(self, client, alice, put_card, bill):
        put_card(alice)
        client.v1.invoices.pay(bill().id)

        [booked] = client.v1.balance_transactions.list().data

        assert (booked.amount, booked.fee) == (5000, 175)

    def test_takes_only_a_card_of_the_customer(self, client, alice, bill):
        other = client.v1.customers.create({})
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            bill(default_payment_method=card.id)

        assert caught.value.param == "default_payment_method"

    def test_declined_stays_open(self, client, bill):
        invoice = client.v1.invoices.finalize_invoice(bill().id)
        with pytest.raises(stripe.CardError) as caught:
            client.v1.invoices.pay(
                invoice.id, {"payment_method": "pm_card_chargeCustomerFail"}
            )

        after = client.v1.invoices.retrieve(invoice.id)
        assert caught.value.code == "card_declined"
        assert (after.status, after.attempted, after.attempt_count) == ("open", True, 1)

    def test_asks_for_3ds(self, client, wire, bill):
        invoice = client.v1.invoices.finalize_invoice(bill().id)
        with pytest.raises(stripe.CardError) as caught:
            client.v1.invoices.pay(
                invoice.id, {"payment_method": "pm_card_authenticationRequired"}
            )

        assert caught.value.code == "invoice_payment_intent_requires_action"
        assert len(wire.events("invoice.payment_action_required")) == 1

    def test_out_of_band(self, client, wire, bill):
        invoice = client.v1.invoices.finalize_invoice(
            bill().id, {"expand": ["payments"]}
        )
        intent = invoice.payments.data[0].payment.payment_intent

        paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})

        assert (paid.status, paid.amount_paid) == ("paid", 5000)
        assert client.v1.payment_intents.retrieve(intent).status == "canceled"
        assert client.v1.charges.list().data == []
        assert wire.events("invoice.payment_succeeded") == []

    def test_twice_is_refused(self, client, alice, put_card, bill):
        put_card(alice)
        invoice = client.v1.invoices.pay(bill().id)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.invoices.pay(invoice.id)

        assert caught.value.code == "invoice_already_paid"

    def test_needs_a_card(self, client, bill):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.invoices.pay(bill().id)

        assert caught.value.code == "resource_missing"

    def test_by_its_intent_pays_it_too(self, client, alice, bill):
        invoice = client.v1.invoices.finalize_invoice(
            bill().id, {"expand": ["payments"]}
        )
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})

        client.v1.payment_intents.confirm(
            invoice.payments.data[0].payment.payment_intent, {"payment_method": card.id}
        )

        assert client.v1.invoices.retrieve(invoice.id).status == "paid"

    def test_cannot_lose_its_intent(self, client, bill):
        invoice = client.v1.invoices.finalize_invoice(
            bill().id, {"expand": ["payments"]}
        )

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.payment_intents.cancel(
                invoice.payments.data[0].payment.payment_intent
            )

        assert caught.value.code == "payment_intent_unexpected_state"


class TestClose:
    def test_void_returns_the_balance(self, client, wire, alice, bill):
        client.v1.customers.update(alice.id, {"balance": -2000})
        invoice = client.v1.invoices.finalize_invoice(bill().id)

        voided = client.v1.invoices.void_invoice(invoice.id)

        assert voided.status == "void"
        assert client.v1.customers.retrieve(alice.id).balance == -2000
        assert len(wire.events("invoice.voided")) == 1

    def test_void_is_only_for_what_is_open(self, client, bill):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.invoices.void_invoice(bill().id)

    def test_uncollectible_can_still_be_paid(self, client, wire, bill):
        invoice = client.v1.invoices.finalize_invoice(bill().id)
        written_off = client.v1.invoices.mark_uncollectible(invoice.id)

        paid = client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})

        assert (written_off.status, paid.status) == ("uncollectible", "paid")
        assert len(wire.events("invoice.marked_uncollectible")) == 1


class TestList:
    def test_by_subscription_and_status(self, client, alice, plan, subscribe, bill):
        subscription = subscribe(plan())
        draft = bill()

        of_subscription = client.v1.invoices.list({"subscription": subscription.id})
        drafts = client.v1.invoices.list({"customer": alice.id, "status": "draft"})

        assert [each.id for each in of_subscription.data] == [
            subscription.latest_invoice
        ]
        assert [each.id for each in drafts.data] == [draft.id]

    def test_pages_through_lines(self, client, alice, bill):
        for _ in range(3):
            client.v1.invoice_items.create(
                {"customer": alice.id, "amount": 100, "currency": "usd"}
            )
        invoice = bill()

        first = client.v1.invoices.line_items.list(invoice.id, {"limit": 3})
        rest = client.v1.invoices.line_items.list(
            invoice.id, {"limit": 3, "starting_after": first.data[-1].id}
        )

        assert (len(first.data), first.has_more) == (3, True)
        assert (len(rest.data), rest.has_more) == (1, False)
        assert len(list(first.auto_paging_iter())) == 4


class TestInvoiceItem:
    def test_changes_while_it_waits(self, client, alice):
        item = client.v1.invoice_items.create(
            {"customer": alice.id, "amount": 100, "currency": "usd"}
        )

        changed = client.v1.invoice_items.update(
            item.id, {"amount": -250, "description": "Goodwill"}
        )

        assert (changed.amount, changed.description) == (-250, "Goodwill")

    def test_of_a_price_changes_its_quantity(self, client, alice, block):
        item = client.v1.invoice_items.create(
            {"customer": alice.id, "pricing": {"price": block.id}}
        )

        changed = client.v1.invoice_items.update(item.id, {"quantity": 4})

        assert (item.amount, changed.amount, changed.quantity) == (500, 2000, 4)

    def test_is_deleted_while_it_waits(self, client, alice):
        item = client.v1.invoice_items.create(
            {"customer": alice.id, "amount": 100, "currency": "usd"}
        )

        gone = client.v1.invoice_items.delete(item.id)

        assert gone.deleted
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.invoice_items.retrieve(item.id)

    def test_on_an_invoice_is_fixed(self, client, bill):
        bill()
        [item] = client.v1.invoice_items.list().data

        with pytest.raises(stripe.InvalidRequestError):
            client.v1.invoice_items.delete(item.id)

    def test_is_part_of_the_next_renewal(self, client, wire, alice, plan, subscribe):
        wire.at(NOON)
        subscription = subscribe(plan())
        client.v1.invoice_items.create(
            {"customer": alice.id, "amount": 700, "currency": "usd"}
        )
        wire.at(NOON + timedelta(days=31, hours=1))

        after = client.v1.subscriptions.retrieve(
            subscription.id, {"expand": ["latest_invoice"]}
        )

        assert [line.amount for line in after.latest_invoice.lines.data] == [700, 2900]
        assert after.latest_invoice.amount_paid == 3600
