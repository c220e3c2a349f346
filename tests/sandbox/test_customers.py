"""Customers and their cards."""

from __future__ import annotations

import pytest
import stripe


class TestCustomers:
    def test_starts_with_stripes_defaults(self, alice):
        assert alice.email == "alice@acme.example"
        assert alice.balance == 0
        assert alice.delinquent is False
        assert alice.invoice_settings.default_payment_method is None
        assert alice.tax_exempt == "none"

    def test_changes(self, client, alice):
        customer = client.v1.customers.update(alice.id, {"name": "Alice Liddell"})

        assert customer.name == "Alice Liddell"
        assert customer.email == "alice@acme.example"

    def test_is_found_by_its_email(self, client, alice):
        client.v1.customers.create({"email": "bob@acme.example"})

        found = client.v1.customers.list({"email": "alice@acme.example"})

        assert [each.id for each in found.data] == [alice.id]

    def test_says_only_that_it_was_deleted(self, client, alice):
        client.v1.customers.delete(alice.id)

        gone = client.v1.customers.retrieve(alice.id)

        assert gone.to_dict() == {"id": alice.id, "object": "customer", "deleted": True}
        assert client.v1.customers.list().data == []

    def test_cannot_change_once_deleted(self, client, alice):
        client.v1.customers.delete(alice.id)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.update(alice.id, {"name": "Nobody"})

        assert caught.value.http_status == 404

    @pytest.mark.parametrize("card", [{"payment_method": "pm_card_visa"},
                                      {"source": "tok_visa"}])  # fmt: skip
    def test_is_created_with_a_card(self, client, card):
        customer = client.v1.customers.create(card)

        cards = client.v1.customers.payment_methods.list(customer.id, {"type": "card"})

        assert [method.card.last4 for method in cards.data] == ["4242"]


class TestPaymentMethods:
    def test_is_a_new_one_for_each_use_of_a_literal(self, client, alice):
        first = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})
        second = client.v1.payment_methods.attach(
            "pm_card_visa", {"customer": alice.id}
        )

        assert first.id != second.id
        assert first.card.fingerprint == second.card.fingerprint
        assert first.customer == alice.id

    def test_carries_only_its_own_variant(self, client):
        method = client.v1.payment_methods.retrieve("pm_card_mastercard")

        assert method.card.brand == "mastercard"
        assert method.type == "card"
        assert "alipay" not in method

    def test_is_made_from_a_test_number(self, client):
        card = {"number": "378282246310005", "exp_month": 8, "exp_year": 2030}
        method = client.v1.payment_methods.create({"type": "card", "card": card})

        assert method.card.brand == "amex"
        assert (method.card.exp_month, method.card.exp_year) == (8, 2030)

    @pytest.mark.parametrize(
        ("number", "code", "decline_code"),
        [
            ("4242424242424241", "incorrect_number", None),
            ("4111111111111111", "card_declined", "test_mode_live_card"),
        ],
    )
    def test_refuses_other_numbers(self, client, number, code, decline_code):
        with pytest.raises(stripe.CardError) as caught:
            client.v1.payment_methods.create(
                {"type": "card", "card": {"number": number}}
            )

        assert caught.value.code == code
        assert caught.value.error.decline_code == decline_code

    def test_is_declined_when_attached(self, client, alice):
        with pytest.raises(stripe.CardError) as caught:
            client.v1.payment_methods.attach(
                "pm_card_chargeDeclined", {"customer": alice.id}
            )

        assert caught.value.http_status == 402
        assert caught.value.code == "card_declined"
        assert caught.value.error.decline_code == "generic_decline"

    def test_is_attached_though_it_will_be_declined(self, client, alice):
        method = client.v1.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": alice.id}
        )

        assert method.card.last4 == "0341"

    def test_never_comes_back_once_detached(self, client, alice):
        method = client.v1.payment_methods.attach(
            "pm_card_visa", {"customer": alice.id}
        )
        client.v1.payment_methods.detach(method.id)

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.payment_methods.attach(method.id, {"customer": alice.id})

        assert caught.value.user_message.startswith(
            "This PaymentMethod was previously used without being attached"
        )
        assert client.v1.customers.payment_methods.list(alice.id).data == []

    def test_becomes_the_default_only_of_its_own_customer(self, client, alice):
        bob = client.v1.customers.create({"payment_method": "pm_card_visa"})
        [card] = client.v1.customers.payment_methods.list(bob.id).data

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.update(
                alice.id, {"invoice_settings": {"default_payment_method": card.id}}
            )

        assert caught.value.code == "resource_missing"


class TestTestCardAsDefault:
    def test_is_attached_and_made_the_default_at_once(self, client):
        customer = client.v1.customers.create(
            {
                "payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"},
            }
        )

        [card] = client.v1.customers.payment_methods.list(customer.id).data
        assert customer.invoice_settings.default_payment_method == card.id
