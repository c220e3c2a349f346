"""Coupons on subscriptions: what they take off invoices and prorations, how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

FIRST = datetime(2026, 4, 1, tzinfo=UTC)  # April: 30 days
MID_APRIL = FIRST + timedelta(days=15)
HOUR = timedelta(hours=1)
NOW = {"proration_behavior": "always_invoice"}


@pytest.fixture(autouse=True)
def _still(wire):
    wire.at(FIRST)


@pytest.fixture
def coupon(client):
    return lambda **params: client.v1.coupons.create(
        params or {"percent_off": 20, "duration": "forever"}
    )


@pytest.fixture
def billed(client):
    """The totals of a customer's invoices, oldest first."""

    def billed(customer):
        invoices = client.v1.invoices.list({"customer": customer.id}).data
        return [invoice.total for invoice in reversed(invoices)]

    return billed


@pytest.fixture
def change(client):
    """Replace the price of the only item and return the subscription."""

    def change(subscription, price, **params):
        [item] = subscription.items.data
        wanted = {"items": [{"id": item.id, "price": price.id}], **NOW, **params}
        return client.v1.subscriptions.update(
            subscription.id, {**wanted, "expand": ["latest_invoice"]}
        )

    return change


class TestFirstInvoice:
    def test_says_what_was_taken_off_and_by_what(self, client, plan, subscribe, coupon):
        made = coupon()

        subscription = subscribe(
            plan(2900), discounts=[{"coupon": made.id}], expand=["latest_invoice"]
        )

        invoice = subscription.latest_invoice
        [line] = invoice.lines.data
        taken_off = [{"amount": 580, "discount": subscription.discounts[0]}]
        assert (invoice.subtotal, invoice.total) == (2900, 2320)
        assert (invoice.amount_due, invoice.amount_paid) == (2320, 2320)
        assert (line.amount, line.subtotal) == (2900, 2900)
        assert [each.to_dict() for each in line.discount_amounts] == taken_off
        assert [each.to_dict() for each in invoice.total_discount_amounts] == taken_off
        assert invoice.discounts == subscription.discounts
        assert client.v1.coupons.retrieve(made.id).times_redeemed == 1

    def test_shows_what_was_taken_off(self, wire, plan, subscribe, coupon):
        subscription = subscribe(plan(2900), discounts=[{"coupon": coupon().id}])
        path = f"/invoices/{subscription.latest_invoice}"

        shown = wire.sandbox.handle("GET", path, {}).body
        printed = wire.sandbox.handle("GET", f"{path}/pdf", {}).body

        assert b"-$5.80" in shown
        assert b"-$5.80" in printed

    def test_of_a_promotion_code_names_it(self, client, plan, subscribe, coupon):
        promotion = {"type": "coupon", "coupon": coupon().id}
        code = client.v1.promotion_codes.create({"promotion": promotion})

        subscription = subscribe(
            plan(2900),
            discounts=[{"promotion_code": code.id}],
            expand=["discounts.source.coupon", "discounts.promotion_code"],
        )

        [discount] = subscription.discounts
        assert discount.promotion_code.id == code.id
        assert discount.source.coupon.percent_off == 20
        assert discount.subscription == subscription.id

    def test_for_nothing_needs_no_payment(self, wire, plan, subscribe, coupon):
        free = coupon(percent_off=100, duration="once")

        subscription = subscribe(plan(2900), discounts=[{"coupon": free.id}])

        assert subscription.status == "active"
        assert wire.charges() == []

    def test_takes_several_off_one_after_the_other(self, plan, subscribe, coupon):
        half = coupon(percent_off=50)
        five = coupon(amount_off=500, currency="usd")

        subscription = subscribe(
            plan(2900),
            discounts=[{"coupon": half.id}, {"coupon": five.id}],
            expand=["latest_invoice"],
        )

        off = subscription.latest_invoice.total_discount_amounts
        assert [each.amount for each in off] == [1450, 500]
        assert subscription.latest_invoice.total == 950

    def test_takes_off_only_what_the_coupon_is_for(
        self, client, plan, subscribe, coupon, billed, alice
    ):
        other = client.v1.products.create({"name": "Other"})
        made = coupon(percent_off=50, applies_to={"products": [other.id]})

        subscribe(plan(2900), discounts=[{"coupon": made.id}])

        assert billed(alice) == [2900]

    def test_shares_what_rounding_leaves_among_what_costs_something(
        self, plan, subscribe, coupon
    ):
        made = coupon(amount_off=100, currency="usd")
        items = [{"price": plan(cents).id} for cents in (0, 333, 333, 333)]

        subscription = subscribe(
            plan(),
            items=items,
            discounts=[{"coupon": made.id}],
            expand=["latest_invoice"],
        )

        lines = subscription.latest_invoice.lines.data
        off = [[each.amount for each in line.discount_amounts] for line in lines]
        assert off == [[], [34], [33], [33]]

    def test_refuses_what_nobody_knows(self, plan, subscribe):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            subscribe(plan(), discounts=[{"coupon": "NONE"}])

        assert (caught.value.code, caught.value.param) == (
            "resource_missing",
            "discounts[0][coupon]",
        )


class TestDuration:
    @pytest.mark.parametrize(
        ("terms", "expected"),
        [
            ({"duration": "once"}, [1450, 2900, 2900, 2900]),
            (
                {"duration": "repeating", "duration_in_months": 2},
                [1450, 1450, 2900, 2900],
            ),
            ({"duration": "forever"}, [1450, 1450, 1450, 1450]),
        ],
    )
    def test_lowers_so_many_months(
        self, wire, plan, subscribe, coupon, billed, alice, terms, expected
    ):
        made = coupon(percent_off=50, **terms)
        subscribe(plan(2900), discounts=[{"coupon": made.id}])

        wire.at(datetime(2026, 7, 1, tzinfo=UTC) + HOUR)

        assert billed(alice) == expected

    def test_of_months_ends_the_discount_by_itself(
        self, client, wire, plan, subscribe, coupon
    ):
        made = coupon(percent_off=50, duration="repeating", duration_in_months=1)
        subscription = subscribe(
            plan(29_000, "year"), discounts=[{"coupon": made.id}], expand=["discounts"]
        )
        [discount] = subscription.discounts

        wire.at(datetime(2026, 5, 1, tzinfo=UTC))

        [told] = wire.events("customer.discount.deleted")
        after = client.v1.subscriptions.retrieve(subscription.id)
        assert discount.end == int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())
        assert told["data"]["object"]["id"] == discount.id
        assert after.discounts == []

    def test_once_waits_for_the_end_of_a_trial(
        self, wire, plan, subscribe, coupon, billed, alice
    ):
        once = coupon(amount_off=900, currency="usd", duration="once")
        subscribe(plan(2900), discounts=[{"coupon": once.id}], trial_period_days=14)

        wire.at(FIRST + timedelta(days=45, hours=1))

        assert billed(alice) == [0, 2000, 2900]

    def test_does_not_end_with_the_coupon(
        self, client, wire, plan, subscribe, coupon, billed, alice
    ):
        made = coupon()
        subscribe(plan(2900), discounts=[{"coupon": made.id}])
        client.v1.coupons.delete(made.id)

        wire.at(datetime(2026, 5, 1, tzinfo=UTC) + HOUR)

        assert billed(alice) == [2320, 2320]


class TestUpdate:
    def test_counts_from_the_next_invoice(
        self, client, wire, plan, subscribe, coupon, billed, alice
    ):
        subscription = subscribe(plan(2900))
        made = coupon(amount_off=900, currency="usd", duration="once")

        client.v1.subscriptions.update(
            subscription.id, {"discounts": [{"coupon": made.id}]}
        )
        wire.at(datetime(2026, 6, 1, tzinfo=UTC) + HOUR)

        assert billed(alice) == [2900, 2000, 2900]

    def test_names_the_discounts_anew(self, client, wire, plan, subscribe, coupon):
        before = subscribe(
            plan(), discounts=[{"coupon": coupon().id}, {"coupon": coupon().id}]
        )
        kept, dropped = before.discounts

        after = client.v1.subscriptions.update(
            before.id, {"discounts": [{"discount": kept}]}
        )
        none = client.v1.subscriptions.update(before.id, {"discounts": ""})

        told = wire.events("customer.discount.deleted")
        assert after.discounts == [kept]
        assert none.discounts == []
        assert [event["data"]["object"]["id"] for event in told] == [dropped, kept]

    def test_can_delete_the_discount(self, client, plan, subscribe, coupon):
        subscription = subscribe(plan(), discounts=[{"coupon": coupon().id}])

        gone = client.v1.subscriptions.delete_discount(subscription.id)

        after = client.v1.subscriptions.retrieve(subscription.id)
        assert (gone.id, gone.deleted) == (subscription.discounts[0], True)
        assert after.discounts == []
        with pytest.raises(stripe.InvalidRequestError, match="No active discount"):
            client.v1.subscriptions.delete_discount(subscription.id)

    def test_refuses_the_discount_of_another(self, client, plan, subscribe, coupon):
        other = subscribe(plan(), discounts=[{"coupon": coupon().id}])
        subscription = subscribe(plan())

        with pytest.raises(stripe.InvalidRequestError, match="No such discount"):
            client.v1.subscriptions.update(
                subscription.id, {"discounts": [{"discount": other.discounts[0]}]}
            )


class TestProration:
    def test_is_net_of_what_was_taken_off(self, wire, plan, subscribe, coupon, change):
        made = coupon(percent_off=50, duration="forever")
        subscription = subscribe(
            plan(1000, name="Basic"), discounts=[{"coupon": made.id}]
        )
        wire.at(MID_APRIL)

        invoice = change(subscription, plan(2000, name="Plus")).latest_invoice

        unused, remaining = invoice.lines.data
        assert (unused.amount, remaining.amount) == (-250, 500)
        assert (invoice.subtotal, invoice.total) == (250, 250)
        assert not remaining.discountable
        assert [each.to_dict() for each in remaining.discount_amounts] == [
            {"amount": 0, "discount": subscription.discounts[0]}
        ]

    def test_keeps_on_its_item_what_was_taken_off(
        self, client, wire, plan, subscribe, coupon, change
    ):
        made = coupon(percent_off=50, duration="forever")
        subscription = subscribe(plan(1000), discounts=[{"coupon": made.id}])
        wire.at(MID_APRIL)

        change(subscription, plan(2000), proration_behavior="create_prorations")

        remaining, unused = client.v1.invoice_items.list().data
        [taken_off] = remaining.proration_details.discount_amounts
        assert (taken_off.amount, remaining.amount, unused.amount) == (500, 500, -250)

    def test_gives_back_only_what_was_debited_once(
        self, wire, plan, subscribe, coupon, change
    ):
        once = coupon(percent_off=50, duration="once")
        subscription = subscribe(plan(1000), discounts=[{"coupon": once.id}])
        wire.at(MID_APRIL)

        invoice = change(subscription, plan(2000)).latest_invoice

        assert [line.amount for line in invoice.lines.data] == [-250, 1000]

    def test_shares_an_amount_by_time(self, wire, plan, subscribe, coupon, change):
        made = coupon(amount_off=400, currency="usd", duration="forever")
        subscription = subscribe(plan(1000), discounts=[{"coupon": made.id}])
        wire.at(MID_APRIL)

        invoice = change(subscription, plan(2000)).latest_invoice

        assert [line.amount for line in invoice.lines.data] == [-300, 800]

    def test_shares_an_amount_among_the_items(
        self, client, wire, plan, subscribe, coupon
    ):
        made = coupon(amount_off=400, currency="usd", duration="forever")
        items = [{"price": plan(1000).id}, {"price": plan(1000).id}]
        subscription = subscribe(plan(), items=items, discounts=[{"coupon": made.id}])
        wire.at(MID_APRIL)

        changed = client.v1.subscriptions.update(
            subscription.id,
            {
                "items": [
                    {"id": subscription.items.data[1].id, "price": plan(2000).id}
                ],
                "expand": ["latest_invoice"],
                **NOW,
            },
        )

        # Of the 400, a full period of 3000 leaves the second item 266: half of 1734.
        lines = changed.latest_invoice.lines.data
        assert [line.amount for line in lines] == [-400, 867]

    def test_month_to_year_lowers_the_year(self, wire, plan, subscribe, coupon, change):
        made = coupon(percent_off=50, duration="forever")
        subscription = subscribe(plan(1000), discounts=[{"coupon": made.id}])
        wire.at(MID_APRIL)

        invoice = change(subscription, plan(10_000, "year")).latest_invoice

        assert (invoice.subtotal, invoice.total) == (9750, 4750)


class TestPreview:
    def test_of_a_coupon_is_what_is_charged(
        self, client, plan, alice, put_card, coupon
    ):
        put_card(alice)
        price, made = plan(2900), coupon()
        items, discounts = [{"price": price.id}], [{"coupon": made.id}]

        preview = client.v1.invoices.create_preview(
            {
                "customer": alice.id,
                "discounts": discounts,
                "subscription_details": {"items": items},
            }
        )
        subscription = client.v1.subscriptions.create(
            {
                "customer": alice.id,
                "discounts": discounts,
                "items": items,
                "expand": ["latest_invoice"],
            }
        )

        assert preview.total == subscription.latest_invoice.total == 2320
        assert client.v1.coupons.retrieve(made.id).times_redeemed == 1

    @pytest.mark.parametrize(
        ("terms", "total"),
        [
            ({"duration": "once"}, 2900),
            ({"duration": "repeating", "duration_in_months": 1}, 2900),
            ({"duration": "repeating", "duration_in_months": 2}, 1450),
        ],
    )
    def test_of_the_renewal_knows_which_discounts_are_left(
        self, client, plan, subscribe, coupon, terms, total
    ):
        made = coupon(percent_off=50, **terms)
        subscription = subscribe(plan(2900), discounts=[{"coupon": made.id}])

        preview = client.v1.invoices.create_preview({"subscription": subscription.id})

        assert preview.total == total


class TestSchedule:
    @pytest.fixture
    def scheduled(self, client, plan, subscribe, coupon):
        """A downgrade that repeats the discounts of its subscription, or does not."""

        def scheduled(*, repeats):
            subscription = subscribe(plan(2900), discounts=[{"coupon": coupon().id}])
            schedules = client.v1.subscription_schedules
            schedule = schedules.create({"from_subscription": subscription.id})
            [running] = schedule.phases
            [item] = running.items
            kept = [{"discount": each.discount} for each in running.discounts]
            present = {
                "items": [{"price": item.price, "quantity": 1}],
                "start_date": running.start_date,
                "end_date": running.end_date,
                "discounts": kept,
            }
            coming = {"items": [{"price": plan(1000).id, "quantity": 1}]}
            if repeats:
                coming["discounts"] = kept
            schedules.update(schedule.id, {"phases": [present, coming]})

        return scheduled

    @pytest.mark.parametrize(("repeats", "total"), [(True, 800), (False, 1000)])
    def test_keeps_the_discounts_that_a_phase_repeats(
        self, wire, scheduled, billed, alice, repeats, total
    ):
        scheduled(repeats=repeats)

        wire.at(datetime(2026, 5, 1, tzinfo=UTC) + HOUR)

        assert billed(alice) == [2320, total]
