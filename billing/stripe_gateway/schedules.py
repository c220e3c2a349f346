"""Schedules at Stripe: a price that a subscription is to have from its next term on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import expanded, id_of

if TYPE_CHECKING:
    from datetime import datetime

    from stripe.params import (
        SubscriptionScheduleUpdateParamsPhase as PhaseParams,
    )

    from billing.stripe_gateway.subscriptions import StripeSubscription


def schedule_price(
    subscription: StripeSubscription,
    *,
    price_id: str,
    is_yearly: bool,
    begins_at: datetime | None,
    key: str,
) -> None:
    """Let a subscription have another price from a term on: its next one by default.

    What was scheduled before is replaced. The schedule lets go of the subscription
    after the first term at that price.

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    schedules = client().v1.subscription_schedules
    with translated_errors():
        if subscription.schedule_id:
            schedule = schedules.retrieve(subscription.schedule_id)
        else:
            schedule = schedules.create(
                {"from_subscription": subscription.id},
                {"idempotency_key": f"{key}:schedule"},
            )
        running = _running(schedule)
        schedules.update(
            schedule.id,
            {
                "end_behavior": "release",
                "proration_behavior": "none",
                "phases": [
                    _as_it_is(running, until=begins_at or subscription.period_ends_at),
                    _with_price(running, price_id, is_yearly=is_yearly),
                ],
            },
            {"idempotency_key": f"{key}:phases"},
        )


def release_schedule(schedule_id: str, *, key: str) -> None:
    """Take a scheduled price back; the subscription goes on as it is (R27).

    Raises:
        StripeUnavailable: ask again with the same key.
    """
    with translated_errors():
        client().v1.subscription_schedules.release(
            schedule_id, {}, {"idempotency_key": key}
        )


def scheduled_lookup_key(schedule: object) -> str:
    """Return the key of the price that follows the running one; "" if none does.

    Expand the schedule down to `phases.items.price`.
    """
    found = expanded(schedule, stripe.SubscriptionSchedule)
    if found is None or found.current_phase is None:
        return ""
    ends_at = found.current_phase.end_date
    for phase in found.phases:
        if phase.start_date >= ends_at:
            price = expanded(phase.items[0].price, stripe.Price)
            return (price and price.lookup_key) or ""
    return ""


def _running(
    schedule: stripe.SubscriptionSchedule,
) -> stripe.SubscriptionSchedule.Phase:
    starts_at = schedule.current_phase and schedule.current_phase.start_date
    [running] = (phase for phase in schedule.phases if phase.start_date == starts_at)
    return running


def _as_it_is(
    running: stripe.SubscriptionSchedule.Phase, *, until: datetime
) -> PhaseParams:
    [item] = running.items
    return {
        **_phase(running, price_id=id_of(item.price)),
        "start_date": running.start_date,
        "end_date": int(until.timestamp()),
    }


def _with_price(
    running: stripe.SubscriptionSchedule.Phase, price_id: str, *, is_yearly: bool
) -> PhaseParams:
    interval: Literal["month", "year"] = "year" if is_yearly else "month"
    return {
        **_phase(running, price_id=price_id),
        "duration": {"interval": interval, "interval_count": 1},
        "proration_behavior": "none",
    }


def _phase(running: stripe.SubscriptionSchedule.Phase, *, price_id: str) -> PhaseParams:
    """Return a phase with what it has to repeat, or the subscription loses it."""
    phase: PhaseParams = {"items": [{"price": price_id, "quantity": 1}]}
    if running.default_payment_method:
        phase["default_payment_method"] = id_of(running.default_payment_method)
    if running.metadata:
        phase["metadata"] = running.metadata.to_dict()
    if discounts := [id_of(each.discount) for each in running.discounts]:
        phase["discounts"] = [{"discount": discount} for discount in discounts]
    return phase
