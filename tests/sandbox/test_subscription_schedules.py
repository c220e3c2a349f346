"""Schedules: phases take effect at their instant; the subscription outlives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import stripe

JANUARY = datetime(2027, 1, 31, tzinfo=UTC)
FEBRUARY = datetime(2027, 2, 28, tzinfo=UTC)
MARCH = datetime(2027, 3, 31, tzinfo=UTC)
APRIL = datetime(2027, 4, 30, tzinfo=UTC)
A_WHILE = 7200


@pytest.fixture
def price(client) -> Callable[..., stripe.Price]:
    def price(cents: int, interval: str = "month") -> stripe.Price:
        return client.v1.prices.create(
            {
                "currency": "usd",
                "product_data": {"name": f"Plan at {cents}"},
                "recurring": {"interval": interval},
                "unit_amount": cents,
            }
        )

    return price


@pytest.fixture
def large(price) -> stripe.Price:
    return price(2000)


@pytest.fixture
def small(price) -> stripe.Price:
    return price(900)


@pytest.fixture
def subscription(client, wire, alice, large) -> stripe.Subscription:
    """The large plan, since the last day of January."""
    wire.at(JANUARY)
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": alice.id})
    return client.v1.subscriptions.create(
        {
            "customer": alice.id,
            "items": [{"price": large.id}],
            "default_payment_method": card.id,
            "metadata": {"org": "1"},
        }
    )


@pytest.fixture
def schedule(client, subscription) -> stripe.SubscriptionSchedule:
    return client.v1.subscription_schedules.create(
        {"from_subscription": subscription.id}
    )


@pytest.fixture
def downgrade(client, schedule, large, small):
    """Have the small plan begin with the next period, and the schedule end after it."""

    def downgrade(**params) -> stripe.SubscriptionSchedule:
        [now] = schedule.phases
        month = {"interval": "month", "interval_count": 1}
        return client.v1.subscription_schedules.update(
            schedule.id,
            {
                "end_behavior": "release",
                "proration_behavior": "none",
                "phases": [
                    {
                        "items": [{"price": large.id, "quantity": 1}],
                        "start_date": now.start_date,
                        "end_date": now.end_date,
                    },
                    {
                        "items": [{"price": small.id, "quantity": 1}],
                        "duration": month,
                        "proration_behavior": "none",
                        "metadata": {"plan": "small"},
                    },
                ],
                **params,
            },
        )

    return downgrade


@pytest.fixture
def now(client, subscription):
    return lambda: client.v1.subscriptions.retrieve(subscription.id)


def told(wire) -> list[str]:
    types = [event["type"] for event in wire.events()]
    prefix = "subscription_schedule."
    return [each.removeprefix(prefix) for each in types if each.startswith(prefix)]


def price_of(subscription: stripe.Subscription) -> str:
    [item] = subscription.items.data
    return item.price.id


def at(wire, moment: datetime, later_s: int = A_WHILE) -> None:
    wire.at(datetime.fromtimestamp(moment.timestamp() + later_s, UTC))


class TestCreate:
    def test_makes_a_phase_of_the_present_period(self, schedule, subscription, large):
        [phase] = schedule.phases

        assert schedule.status == "active"
        assert schedule.subscription == subscription.id
        assert schedule.end_behavior == "release"
        assert (phase.start_date, phase.end_date) == (
            JANUARY.timestamp(),
            FEBRUARY.timestamp(),
        )
        assert [item.price for item in phase.items] == [large.id]
        assert phase.metadata.to_dict() == {"org": "1"}

    def test_is_known_to_the_subscription(self, schedule, now, wire):
        assert now().schedule == schedule.id
        assert told(wire) == ["created"]

    def test_takes_no_other_parameter(self, client, subscription):
        with pytest.raises(stripe.InvalidRequestError, match="You cannot set"):
            client.v1.subscription_schedules.create(
                {"from_subscription": subscription.id, "end_behavior": "cancel"}
            )

    def test_happens_once(self, client, schedule, subscription):
        with pytest.raises(stripe.InvalidRequestError, match="already attached"):
            client.v1.subscription_schedules.create(
                {"from_subscription": subscription.id}
            )

    def test_ends_what_was_about_to_end(self, client, subscription):
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

        schedule = client.v1.subscription_schedules.create(
            {"from_subscription": subscription.id}
        )

        assert schedule.end_behavior == "cancel"

    def test_is_not_for_the_dead(self, client, subscription):
        client.v1.subscriptions.cancel(subscription.id)

        with pytest.raises(stripe.InvalidRequestError, match="`canceled` status"):
            client.v1.subscription_schedules.create(
                {"from_subscription": subscription.id}
            )


class TestDowngrade:
    def test_changes_nothing_yet(self, downgrade, now, large, wire):
        planned = downgrade()

        assert [phase.end_date for phase in planned.phases] == [
            FEBRUARY.timestamp(),
            datetime(2027, 3, 28, tzinfo=UTC).timestamp(),
        ]
        assert price_of(now()) == large.id
        assert told(wire) == ["created", "updated"]

    def test_takes_effect_with_the_next_period(
        self, client, downgrade, now, small, wire
    ):
        downgrade()

        at(wire, FEBRUARY)

        invoice = client.v1.invoices.retrieve(now().latest_invoice)
        [line] = invoice.lines.data
        assert price_of(now()) == small.id
        assert now().metadata.to_dict() == {"org": "1", "plan": "small"}
        assert (invoice.status, invoice.amount_paid) == ("paid", 900)
        assert (line.period.start, line.period.end) == (
            FEBRUARY.timestamp(),
            MARCH.timestamp(),
        )

    def test_lets_the_subscription_go_on(self, client, downgrade, now, small, wire):
        schedule = downgrade()

        at(wire, APRIL)

        over = client.v1.subscription_schedules.retrieve(schedule.id)
        assert over.status == "released"
        assert over.released_subscription == now().id
        assert (now().status, now().schedule) == ("active", None)
        assert price_of(now()) == small.id
        assert told(wire) == ["created", "updated", "updated", "released"]

    def test_is_undone_by_a_release(self, client, downgrade, now, large, wire):
        schedule = downgrade()

        released = client.v1.subscription_schedules.release(schedule.id)
        at(wire, FEBRUARY)

        assert (released.status, released.subscription) == ("released", None)
        assert price_of(now()) == large.id
        assert client.v1.invoices.retrieve(now().latest_invoice).amount_paid == 2000

    def test_can_change_the_interval(self, client, schedule, large, price, now, wire):
        yearly = price(9000, "year")
        [phase] = schedule.phases
        client.v1.subscription_schedules.update(
            schedule.id,
            {
                "phases": [
                    {
                        "items": [{"price": large.id}],
                        "start_date": phase.start_date,
                        "end_date": phase.end_date,
                    },
                    {"items": [{"price": yearly.id}]},
                ]
            },
        )

        at(wire, FEBRUARY)

        [item] = now().items.data
        assert item.price.id == yearly.id
        assert item.current_period_end == datetime(2028, 2, 28, tzinfo=UTC).timestamp()


class TestPhaseWithinAPeriod:
    def test_is_prorated(self, client, schedule, large, small, now, wire):
        [phase] = schedule.phases
        middle = datetime(2027, 2, 14, tzinfo=UTC)
        client.v1.subscription_schedules.update(
            schedule.id,
            {
                "phases": [
                    {
                        "items": [{"price": large.id}],
                        "start_date": phase.start_date,
                        "end_date": int(middle.timestamp()),
                    },
                    {"items": [{"price": small.id}], "end_date": phase.end_date},
                ]
            },
        )

        at(wire, middle)

        waiting = client.v1.invoice_items.list({"customer": now().customer}).data
        assert price_of(now()) == small.id
        assert sorted(item.amount for item in waiting) == [-1000, 450]


class TestUpdate:
    def test_changes_the_current_phase_at_once(
        self, client, schedule, small, now, wire
    ):
        [phase] = schedule.phases

        client.v1.subscription_schedules.update(
            schedule.id,
            {
                "proration_behavior": "none",
                "phases": [
                    {
                        "items": [{"price": small.id}],
                        "start_date": phase.start_date,
                        "end_date": phase.end_date,
                    }
                ],
            },
        )

        assert price_of(now()) == small.id

    def test_needs_the_current_phase(self, client, schedule, small):
        [phase] = schedule.phases

        with pytest.raises(stripe.InvalidRequestError, match="current phase"):
            client.v1.subscription_schedules.update(
                schedule.id,
                {
                    "phases": [
                        {"items": [{"price": small.id}], "start_date": phase.end_date}
                    ]
                },
            )

    def test_leaves_no_gap(self, client, schedule, large, small):
        [phase] = schedule.phases

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscription_schedules.update(
                schedule.id,
                {
                    "phases": [
                        {
                            "items": [{"price": large.id}],
                            "start_date": phase.start_date,
                            "end_date": phase.end_date,
                        },
                        {
                            "items": [{"price": small.id}],
                            "start_date": phase.end_date + 1,
                        },
                    ]
                },
            )

        assert caught.value.param == "phases[1][start_date]"

    def test_knows_no_iterations_any_more(self, client, schedule, large):
        [phase] = schedule.phases

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscription_schedules.update(
                schedule.id,
                {
                    "phases": [
                        {
                            "items": [{"price": large.id}],
                            "start_date": phase.start_date,
                            "iterations": 1,
                        }
                    ]
                },
            )

        assert caught.value.code == "parameter_unknown"

    def test_is_too_late_after_the_end(self, client, schedule):
        client.v1.subscription_schedules.release(schedule.id)

        with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
            client.v1.subscription_schedules.update(schedule.id, {"metadata": {}})


class TestManagedSubscription:
    @pytest.mark.parametrize(
        "change", [{"cancel_at_period_end": True}, {"cancel_at": "min_period_end"}]
    )
    def test_is_not_canceled_directly(self, client, schedule, subscription, change):
        with pytest.raises(stripe.InvalidRequestError, match=schedule.id):
            client.v1.subscriptions.update(subscription.id, change)

    def test_does_not_change_its_price_directly(
        self, client, schedule, subscription, small
    ):
        [item] = subscription.items.data

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.subscriptions.update(
                subscription.id, {"items": [{"id": item.id, "price": small.id}]}
            )

        assert caught.value.code == "sandbox_unsupported"

    def test_takes_its_schedule_along_when_it_ends(
        self, client, schedule, subscription, wire
    ):
        client.v1.subscriptions.cancel(subscription.id)

        over = client.v1.subscription_schedules.retrieve(schedule.id)
        assert over.status == "canceled"
        assert told(wire)[-1] == "canceled"

    def test_aborts_its_schedule_when_nobody_pays(self, client, subscription, wire):
        broken = client.v1.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": subscription.customer}
        )
        client.v1.subscriptions.update(
            subscription.id, {"default_payment_method": broken.id}
        )
        client.v1.subscription_schedules.create({"from_subscription": subscription.id})
        # Without a further phase it would be released before anyone fails to pay.
        [schedule] = client.v1.subscription_schedules.list().data
        [phase] = schedule.phases
        client.v1.subscription_schedules.update(
            schedule.id,
            {
                "phases": [
                    {
                        "items": [{"price": phase.items[0].price}],
                        "start_date": phase.start_date,
                        "end_date": int(APRIL.timestamp()),
                    }
                ]
            },
        )

        wire.at(datetime(2027, 3, 20, tzinfo=UTC))

        assert told(wire)[-1] == "aborted"


class TestEndBehavior:
    def test_ends_the_subscription_with_the_last_phase(
        self, client, downgrade, now, wire
    ):
        schedule = downgrade(end_behavior="cancel")
        planned = now().cancel_at

        at(wire, MARCH)

        over = client.v1.subscription_schedules.retrieve(schedule.id)
        assert planned == schedule.phases[-1].end_date
        assert (now().status, over.status) == ("canceled", "completed")
        assert told(wire)[-1] == "completed"

    def test_can_be_canceled_at_once(self, client, schedule, now):
        canceled = client.v1.subscription_schedules.cancel(
            schedule.id, {"invoice_now": False, "prorate": False}
        )

        assert canceled.status == "canceled"
        assert now().status == "canceled"


class TestList:
    def test_is_of_one_customer(self, client, schedule, alice):
        listed = client.v1.subscription_schedules.list({"customer": alice.id})
        waiting = client.v1.subscription_schedules.list({"scheduled": True})

        assert [each.id for each in listed.data] == [schedule.id]
        assert waiting.data == []
