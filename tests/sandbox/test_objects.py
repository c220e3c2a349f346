"""Every field that the SDK declares is sent, unless Stripe leaves it out."""

from __future__ import annotations

import pytest

from stripe_sandbox.contract.objects import fill, is_expandable


class TestFill:
    def test_puts_id_and_object_first(self):
        values = {"id": "prod_1", "active": True, "name": "Block", "type": "service"}
        product = fill("product", values | {"created": 1, "updated": 1})

        assert list(product)[:3] == ["id", "object", "active"]
        assert product["default_price"] is None
        assert product["images"] == []
        assert product["metadata"] == {}
        assert "deleted" not in product

    def test_refuses_a_field_that_stripe_does_not_have(self):
        with pytest.raises(LookupError, match="colour"):
            fill("product", {"id": "prod_1", "colour": "red"})

    def test_refuses_to_make_up_a_value(self):
        with pytest.raises(LookupError, match=r"product\.created needs a value"):
            fill("product", {"id": "prod_1", "active": True})


class TestIsExpandable:
    @pytest.mark.parametrize(
        ("kind", "field", "expandable"),
        [
            ("charge", "balance_transaction", True),
            ("charge", "payment_intent", True),
            ("price", "product", True),
            ("charge", "description", False),
            ("charge", "payment_method", False),
            ("charge", "nothing", False),
        ],
    )
    def test_follows_the_types_of_the_sdk(self, kind, field, expandable):
        assert is_expandable(kind, field) is expandable
