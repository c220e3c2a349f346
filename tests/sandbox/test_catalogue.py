"""Products and prices."""

from __future__ import annotations

import pytest
import stripe


class TestProducts:
    def test_keeps_an_id_of_ones_own(self, client):
        product = client.v1.products.create({"id": "prod_block", "name": "Block"})

        assert product.id == "prod_block"
        assert product.active is True
        assert product.images == []
        assert product.type == "service"

    def test_refuses_an_id_that_is_taken(self, client):
        client.v1.products.create({"id": "prod_block", "name": "Block"})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.products.create({"id": "prod_block", "name": "Block"})

        assert caught.value.code == "resource_already_exists"

    def test_makes_its_default_price(self, client):
        product = client.v1.products.create(
            {
                "name": "Pro",
                "default_price_data": {"currency": "usd", "unit_amount": 900},
            }
        )

        price = client.v1.prices.retrieve(product.default_price)

        assert price.product == product.id
        assert price.unit_amount == 900

    def test_merges_metadata_and_unsets_by_the_empty_string(self, client):
        product = client.v1.products.create(
            {"name": "Block", "metadata": {"kept": "1", "gone": "2"}}
        )

        product = client.v1.products.update(
            product.id, {"metadata": {"gone": "", "new": "3"}}
        )

        assert product.metadata.to_dict() == {"kept": "1", "new": "3"}

    def test_lists_by_activity(self, client, block):
        retired = client.v1.products.create({"name": "Old", "active": False})

        found = client.v1.products.list({"active": False})

        assert [each.id for each in found.data] == [retired.id]


class TestPrices:
    def test_has_every_field_of_a_one_time_price(self, block):
        assert block.to_dict(for_json=True) == {
            "id": block.id,
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "created": block.created,
            "currency": "usd",
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": "block",
            "metadata": {},
            "nickname": None,
            "product": block.product,
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": 500,
            "unit_amount_decimal": "500",
        }

    def test_recurs(self, client, block):
        price = client.v1.prices.create(
            {
                "currency": "usd",
                "product": block.product,
                "recurring": {"interval": "year"},
                "unit_amount": 9900,
            }
        )

        assert price.type == "recurring"
        assert price.recurring.to_dict() == {
            "interval": "year",
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        }

    def test_is_found_by_its_lookup_key(self, client, block):
        found = client.v1.prices.list({"lookup_keys": ["block"], "active": True})

        assert [price.id for price in found.data] == [block.id]

    def test_refuses_a_lookup_key_that_is_in_use(self, client, block):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.prices.create(
                {
                    "currency": "usd",
                    "lookup_key": "block",
                    "product": block.product,
                    "unit_amount": 600,
                }
            )

        assert caught.value.param == "lookup_key"
        assert caught.value.user_message == (
            f"A price (`{block.id}`) already uses that lookup key."
        )

    def test_takes_a_lookup_key_over(self, client, block):
        dearer = client.v1.prices.create(
            {
                "currency": "usd",
                "lookup_key": "block",
                "product": block.product,
                "transfer_lookup_key": True,
                "unit_amount": 600,
            }
        )

        assert dearer.lookup_key == "block"
        assert client.v1.prices.retrieve(block.id).lookup_key is None

    def test_never_changes_its_amount(self, client, block):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.prices.update(block.id, {"unit_amount": 600})

        assert caught.value.code == "parameter_unknown"

    def test_needs_a_product_that_exists(self, client):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.prices.create(
                {"currency": "usd", "product": "prod_none", "unit_amount": 500}
            )

        assert caught.value.http_status == 400
        assert caught.value.param == "product"
        assert caught.value.user_message == "No such product: 'prod_none'"
