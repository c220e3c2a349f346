"""How a schedule leads its subscription from phase to phase, and how it lets it go.

Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
"""

from __future__ import annotations

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.reactions import reaction
from stripe_sandbox.engine.store import Json
from stripe_sandbox.resources import schedule_phases
from stripe_sandbox.resources.fields import metadata
from stripe_sandbox.subscribing import changing, ending, redemptions
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing.renewing import BEFORE_RENEWAL

_KIND = "subscription_schedule"


def plan(context: Context, schedule: Json) -> None:
    """Put the end of the current phase on the agenda."""
    due_at = schedule["current_phase"]["end_date"]
    context.schedule("end_phase", schedule["id"], due_at=due_at)


def follow(context: Context, schedule: Json, *, proration_behavior: str) -> None:
    """Bring the subscription in line with the phase that is current already."""
    subscription = context.fetch("subscription", schedule["subscription"])
    [phase] = [
        each
        for each in schedule["phases"]
        if each["start_date"] == schedule["current_phase"]["start_date"]
    ]
    plain: Json = {
        "cancel_at": _end_of_subscription(schedule),
        "discounts": _discounts(context, subscription, phase),
    }
    if schedule_phases.differs(subscription, phase):
        update = {
            "items": schedule_phases.delta(subscription, phase),
            "proration_behavior": proration_behavior,
        }
        changing.changed(context, subscription, update, plain)
    else:
        context.change(subscription, event="customer.subscription.updated", **plain)


def release(context: Context, schedule: Json, *, keep_cancel_date: bool) -> Json:
    """Let the subscription go on without its schedule."""
    subscription = context.fetch("subscription", schedule["subscription"])
    released = context.change(
        schedule,
        current_phase=None,
        released_at=context.now,
        released_subscription=subscription["id"],
        status="released",
        subscription=None,
    )
    context.emit("subscription_schedule.released", released)
    values: Json = {"schedule": None}
    if not keep_cancel_date:
        values["cancel_at"] = None
    context.change(subscription, event="customer.subscription.updated", **values)
    return released


@task("end_phase")
def end_phase(context: Context, schedule_id: str) -> None:
    """Leave a phase that is over."""
    schedule = context.fetch(_KIND, schedule_id)
    if schedule["status"] == "active":
        _advance(context, schedule)


@reaction(BEFORE_RENEWAL)
def advance_first(context: Context, subscription: Json) -> None:
    """Where a phase ends with a period, its successor is what is renewed."""
    if subscription["schedule"]:
        schedule = context.fetch(_KIND, subscription["schedule"])
        if schedule["status"] == "active":
            _advance(context, schedule)


@reaction("customer.subscription.deleted")
def end_with_subscription(context: Context, subscription: Json) -> None:
    """A schedule has nothing to lead any more."""
    if subscription["schedule"] is None:
        return
    schedule = context.fetch(_KIND, subscription["schedule"])
    if schedule["status"] == "active":
        unpaid = subscription["cancellation_details"]["reason"] == "payment_failed"
        close(context, schedule, "canceled", event="aborted" if unpaid else "canceled")


def close(context: Context, schedule: Json, status: str, *, event: str) -> Json:
    """End a schedule together with its subscription."""
    at: Json = {f"{status}_at": context.now}
    closed = context.change(schedule, current_phase=None, status=status, **at)
    context.emit(f"subscription_schedule.{event}", closed)
    return closed


def _advance(context: Context, schedule: Json) -> None:
    if schedule["current_phase"]["end_date"] > context.now:
        return
    coming = [
        phase for phase in schedule["phases"] if phase["start_date"] == context.now
    ]
    if coming:
        _enter(context, schedule, coming[0])
    elif schedule["end_behavior"] == "release":
        release(context, schedule, keep_cancel_date=False)
    else:
        _complete(context, schedule)


def _enter(context: Context, schedule: Json, phase: Json) -> None:
    schedule = context.change(
        schedule,
        event="subscription_schedule.updated",
        current_phase={
            "end_date": phase["end_date"],
            "start_date": phase["start_date"],
        },
    )
    plan(context, schedule)
    subscription = context.fetch("subscription", schedule["subscription"])
    plain = _plain_values(schedule, subscription, phase)
    plain["discounts"] = _discounts(context, subscription, phase)
    items = schedule_phases.delta(subscription, phase)
    if _renews_now(context, subscription):
        _replace_items(context, subscription, items, plain)
        return
    update = {"items": items, "proration_behavior": phase["proration_behavior"]}
    changing.changed(context, subscription, update, plain)


def _renews_now(context: Context, subscription: Json) -> bool:
    return subscription_items.period_of(subscription)[1] == context.now


def _replace_items(
    context: Context, subscription: Json, items: list[Json], plain: Json
) -> None:
    """Put the new items in for the period that is about to begin: nothing to prorate.

    The renewal that follows tells of it.
    """
    merged = subscription_items.merged(context, subscription, items)
    period = subscription_items.period_of(subscription)
    before = subscription_items.recurring_of(subscription_items.of(subscription))
    same_interval = before == subscription_items.recurring_of(merged)
    anchor = subscription["billing_cycle_anchor"] if same_interval else context.now
    merged = subscription_items.in_period(merged, period)
    context.change(
        subscription,
        billing_cycle_anchor=anchor,
        items=subscription_items.listed(merged, subscription["id"]),
        **plain,
    )


def _plain_values(schedule: Json, subscription: Json, phase: Json) -> Json:
    defaults = schedule["default_settings"]
    values = {
        name: phase[name] or defaults[name] or subscription[name]
        for name in ("default_payment_method", "description")
    }
    # Entering a phase adds to the subscription's metadata and takes none away.
    merged = metadata(phase["metadata"], subscription["metadata"])
    return values | {"metadata": merged}


def _discounts(context: Context, subscription: Json, phase: Json) -> list[str]:
    """What a phase does not repeat ends with it; what ended before does not return."""
    repeated = [{"discount": each["discount"]} for each in phase["discounts"]]
    lasting = [
        each for each in repeated if each["discount"] in subscription["discounts"]
    ]
    return redemptions.replaced(context, subscription, lasting)


def _complete(context: Context, schedule: Json) -> None:
    subscription = context.fetch("subscription", schedule["subscription"])
    close(context, schedule, "completed", event="completed")
    # At the end of a period the renewal finds it due; elsewhere it ends here.
    ends = context.change(subscription, cancel_at=context.now)
    if not _renews_now(context, subscription):
        ending.end(context, ends)


def _end_of_subscription(schedule: Json) -> int | None:
    if schedule["end_behavior"] != "cancel":
        return None
    end: int = schedule["phases"][-1]["end_date"]
    return end
