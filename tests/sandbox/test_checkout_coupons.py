"""Coupons and promotion codes at Checkout in mode `subscription`."""

from __future__ import annotations

import pytest
import stripe


@pytest.fixture
def coupon(client):
    return lambda **params: client.v1.coupons.create(
        params or {"percent_off": 20, "duration": "forever"}
    )


class TestCheckout:
    @pytest.fixture
    def open_plan(self, client, plan, alice):
        def open_plan(**params):
            return client.v1.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": alice.id,
                    "line_items": [{"price": plan(2900).id, "quantity": 1}],
                    "success_url": "https://portal.example/done",
                    **params,
                }
            )

        return open_plan

    @pytest.fixture
    def welcome(self, client, coupon):
        promotion = {"type": "coupon", "coupon": coupon().id}
        return client.v1.promotion_codes.create(
            {"promotion": promotion, "code": "WELCOME"}
        )

    def test_subscribes_with_the_coupon(self, client, wire, open_plan, coupon):
        session = open_plan(discounts=[{"coupon": coupon().id}])

        wire.pay(session.id)

        done = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["subscription", "invoice"]}
        )
        assert (session.amount_subtotal, session.amount_total) == (2900, 2320)
        assert done.invoice.total == 2320
        assert len(done.subscription.discounts) == 1

    def test_counts_anew_when_the_coupon_had_covered_everything(
        self, client, wire, plan, open_plan, coupon
    ):
        bounds = {"enabled": True, "minimum": 1}
        line = {"price": plan(2900).id, "quantity": 1, "adjustable_quantity": bounds}
        made = coupon(amount_off=5000, currency="usd")
        session = open_plan(line_items=[line], discounts=[{"coupon": made.id}])

        wire.pay(session.id, quantity=2)

        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
        assert session.amount_total == 0
        assert (done.amount_total, done.invoice.amount_paid) == (800, 800)

    def test_takes_the_code_that_the_buyer_types(
        self, client, wire, open_plan, welcome
    ):
        session = open_plan(allow_promotion_codes=True)

        shown = wire.pay(session.id, action="promote", promotion_code="welcome")
        wire.pay(session.id)

        done = client.v1.checkout.sessions.retrieve(
            session.id, {"expand": ["subscription.discounts", "invoice"]}
        )
        [discount] = done.subscription.discounts
        assert "-$5.80" in shown.body.decode()
        assert done.invoice.total == 2320
        assert discount.promotion_code == welcome.id
        assert client.v1.promotion_codes.retrieve(welcome.id).times_redeemed == 1

    def test_takes_the_code_back(self, client, wire, open_plan, welcome):
        session = open_plan(allow_promotion_codes=True)
        wire.pay(session.id, action="promote", promotion_code="WELCOME")

        wire.pay(session.id, action="promote", promotion_code="")

        assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 2900

    def test_says_when_there_is_no_such_code(self, wire, open_plan):
        session = open_plan(allow_promotion_codes=True)

        answer = wire.pay(session.id, action="promote", promotion_code="NONE")

        assert answer.status == 422
        assert "This code is invalid." in answer.body.decode()

    def test_redeems_either_way_but_not_both(self, open_plan, coupon):
        with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
            open_plan(allow_promotion_codes=True, discounts=[{"coupon": coupon().id}])
