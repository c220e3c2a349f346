"""Coupons and promotion codes, redeemed at Checkout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

NOW = datetime(2027, 2, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _still(wire):
    wire.at(NOW)


@pytest.fixture
def coupon(client) -> Callable[..., stripe.Coupon]:
    return lambda **params: client.v1.coupons.create(params or {"percent_off": 25})


@pytest.fixture
def code(client, coupon) -> Callable[..., stripe.PromotionCode]:
    def code(**params: Any) -> stripe.PromotionCode:
        promotion = {"type": "coupon", "coupon": coupon().id}
        return client.v1.promotion_codes.create({"promotion": promotion, **params})

    return code


class TestCoupon:
    def test_is_created_retrieved_and_listed(self, client, coupon):
        made = coupon(percent_off=12.5, id="SPRING", name="Spring")

        found = client.v1.coupons.retrieve("SPRING")

        assert (found.percent_off, found.name, found.duration) == (
            12.5,
            "Spring",
            "once",
        )
        assert found.valid
        assert [each.id for each in client.v1.coupons.list().data] == [made.id]

    def test_is_deleted(self, client, coupon, wire):
        gone = client.v1.coupons.delete(coupon().id)

        assert gone.deleted
        assert client.v1.coupons.list().data == []
        assert wire.events()[-1]["type"] == "coupon.deleted"

    def test_ends(self, client, coupon, wire):
        made = coupon(percent_off=10, redeem_by=int(NOW.timestamp()) + 60)

        wire.at(NOW + timedelta(minutes=1))

        assert not client.v1.coupons.retrieve(made.id).valid

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"duration": "once"}, "percent_off"),
            ({"percent_off": 10, "amount_off": 100, "currency": "usd"}, "percent_off"),
            ({"percent_off": 101}, "percent_off"),
            ({"amount_off": 100}, "currency"),
            ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ],
    )
    def test_is_refused_when_it_makes_no_sense(self, coupon, params, param):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            coupon(**params)

        assert caught.value.param == param

    def test_has_an_id_of_its_own(self, coupon):
        coupon(percent_off=10, id="SPRING")

        with pytest.raises(stripe.InvalidRequestError) as caught:
            coupon(percent_off=20, id="SPRING")

        assert caught.value.code == "resource_already_exists"

    def test_names_its_products_when_asked(self, client, block):
        made = client.v1.coupons.create(
            {
                "percent_off": 10,
                "applies_to": {"products": [block.product]},
                "expand": ["applies_to"],
            }
        )

        assert made.applies_to.products == [block.product]
        assert "applies_to" not in client.v1.coupons.retrieve(made.id)


class TestPromotionCode:
    def test_stands_for_a_coupon(self, client, code):
        made = code(code="WELCOME")

        [found] = client.v1.promotion_codes.list({"code": "welcome"}).data

        assert found.id == made.id
        assert found.promotion.type == "coupon"

    def test_is_taken_while_it_is_active(self, client, code):
        first = code(code="WELCOME")
        with pytest.raises(stripe.InvalidRequestError, match="already exists"):
            code(code="Welcome")

        client.v1.promotion_codes.update(first.id, {"active": False})

        assert code(code="WELCOME").active

    def test_knows_no_coupon_of_its_own_any_more(self, client, coupon):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.promotion_codes.create({"coupon": coupon().id})

        assert caught.value.code == "parameter_unknown"


class TestCheckout:
    def test_takes_a_percentage_off(self, client, wire, open_session, coupon):
        made = coupon()
        session = open_session(discounts=[{"coupon": made.id}])

        wire.pay(session.id)

        [charge] = wire.charges()
        paid = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["line_items"]}
        )
        assert (paid.amount_subtotal, paid.amount_total) == (1500, 1125)
        assert paid.total_details.amount_discount == 375
        assert paid.line_items.data[0].amount_discount == 375
        assert [each.coupon for each in paid.discounts] == [made.id]
        assert charge["amount"] == 1125
        assert client.v1.coupons.retrieve(made.id).times_redeemed == 1

    def test_follows_the_quantity(self, wire, open_session, coupon):
        session = open_session(discounts=[{"coupon": coupon().id}])

        shown = wire.pay(session.id, quantity=4, action="update").body.decode()

        assert "-$5.00" in shown
        assert "$15.00" in shown
        assert "checkout.js" not in shown

    def test_shares_an_amount_among_the_lines(self, client, open_session, coupon):
        made = coupon(amount_off=100, currency="usd")
        lines = [
            {
                "price_data": {
                    "currency": "usd",
                    "product_data": {"name": name},
                    "unit_amount": 333,
                },
                "quantity": 1,
            }
            for name in ("One", "Two", "Three")
        ]

        session = open_session(
            line_items=lines,
            discounts=[{"coupon": made.id}],
            expand=["line_items"],
        )

        off = [line.amount_discount for line in session.line_items.data]
        assert off == [34, 33, 33]

    def test_takes_off_only_what_the_coupon_is_for(self, open_session, coupon, client):
        other = client.v1.products.create({"name": "Other"})
        made = coupon(percent_off=50, applies_to={"products": [other.id]})

        session = open_session(discounts=[{"coupon": made.id}])

        assert session.amount_total == 1500

    def test_redeems_a_promotion_code_once(self, client, wire, open_session, code):
        made = code(max_redemptions=1)
        wire.pay(open_session(discounts=[{"promotion_code": made.id}]).id)

        with pytest.raises(stripe.InvalidRequestError, match="not active"):
            open_session(discounts=[{"promotion_code": made.id}])

    def test_refuses_the_code_of_somebody_else(self, open_session, code, alice):
        made = code(customer=alice.id)

        with pytest.raises(stripe.InvalidRequestError, match="another customer"):
            open_session(discounts=[{"promotion_code": made.id}])

    def test_refuses_what_is_over(self, wire, open_session, coupon):
        made = coupon(percent_off=10, redeem_by=int(NOW.timestamp()) + 60)
        wire.at(NOW + timedelta(hours=1))

        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_session(discounts=[{"coupon": made.id}])

        assert caught.value.code == "coupon_expired"
