from __future__ import annotations

import pytest
import stripe


@pytest.fixture
def five_customers(client) -> list[str]:
    """Ids, newest first."""
    return [client.v1.customers.create({}).id for _ in range(5)][::-1]


def ids(found) -> list[str]:
    return [each.id for each in found.data]


class TestPaging:
    def test_is_newest_first(self, client, five_customers):
        found = client.v1.customers.list()

        assert ids(found) == five_customers
        assert found.has_more is False
        assert found.url == "/v1/customers"

    def test_stops_at_the_limit_and_says_that_there_is_more(
        self, client, five_customers
    ):
        found = client.v1.customers.list({"limit": 2})

        assert ids(found) == five_customers[:2]
        assert found.has_more is True

    def test_goes_on_after_a_cursor(self, client, five_customers):
        cursor = {"limit": 2, "starting_after": five_customers[1]}

        assert ids(client.v1.customers.list(cursor)) == five_customers[2:4]

    def test_goes_back_before_a_cursor_in_the_same_order(self, client, five_customers):
        cursor = {"limit": 2, "ending_before": five_customers[4]}

        assert ids(client.v1.customers.list(cursor)) == five_customers[2:4]

    def test_is_walked_through_by_the_sdk(self, client, five_customers):
        walked = client.v1.customers.list({"limit": 2}).auto_paging_iter()

        assert [each.id for each in walked] == five_customers

    @pytest.mark.parametrize(
        ("limit", "sentence"),
        [
            (
                101,
                "This value must be less than or equal to 100 (it currently is '101').",
            ),
            (0, "This value must be greater than or equal to 1 (it currently is '0')."),
        ],
    )
    def test_refuses_other_limits_than_1_to_100(self, client, limit, sentence):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.list({"limit": limit})

        assert caught.value.param == "limit"
        assert caught.value.user_message == sentence

    def test_refuses_a_cursor_that_names_nothing(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.list({"starting_after": "cus_none"})

        assert caught.value.param == "starting_after"
        assert caught.value.user_message == "No such customer: 'cus_none'"


class TestExpand:
    def test_replaces_an_id_by_its_object(self, client, block):
        price = client.v1.prices.retrieve(block.id, {"expand": ["product"]})

        assert price.product.name == "Block of 100 credits"

    def test_goes_down_four_levels(self, wire, client, open_session):
        session = open_session()
        wire.pay(session.id)

        path = "payment_intent.latest_charge.balance_transaction"
        found = client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})

        assert found.payment_intent.latest_charge.balance_transaction.fee == 74

    def test_works_within_lists(self, client, block):
        found = client.v1.prices.list({"expand": ["data.product"]})

        assert found.data[0].product.object == "product"

    def test_adds_the_lists_that_are_left_out_otherwise(self, client, open_session):
        session = open_session()
        expanded = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["line_items.data.price.product"]}
        )

        assert "line_items" not in session
        assert expanded.line_items.data[0].price.product.object == "product"

    def test_reaches_into_hashes(self, client, alice):
        method = client.v1.payment_methods.attach(
            "pm_card_visa", {"customer": alice.id}
        )
        settings = {"default_payment_method": method.id}
        customer = client.v1.customers.update(
            alice.id,
            {
                "invoice_settings": settings,
                "expand": ["invoice_settings.default_payment_method"],
            },
        )

        assert customer.invoice_settings.default_payment_method.card.last4 == "4242"

    def test_refuses_what_cannot_be_expanded(self, client, alice):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.customers.retrieve(alice.id, {"expand": ["email"]})

        assert caught.value.user_message == "This property cannot be expanded (email)."

    def test_refuses_more_than_four_levels(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.list({"expand": ["data.items.data.price.product"]})

        assert caught.value.code == "property_expansion_max_depth"
        assert caught.value.user_message == (
            "You cannot expand more than 4 levels of a property. Property:"
            " data.items.data.price.product"
        )
