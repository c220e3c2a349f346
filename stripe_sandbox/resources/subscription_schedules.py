"""Subscription schedules, made from a subscription that exists."""

from __future__ import annotations

from stripe_sandbox import scheduling
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import schedule_phases
from stripe_sandbox.resources.fields import refuse_unsupported, updated
from stripe_sandbox.subscribing import ending

_KIND = "subscription_schedule"
_UPDATES = frozenset({"end_behavior", "metadata", "phases", "proration_behavior"})
_LISTED_BY = frozenset({"created", "customer", "ending_before", "limit", "scheduled",
                        "starting_after"})  # fmt: skip


@operation("POST", "/v1/subscription_schedules")
def create(context: Context, params: Json) -> Json:
    """Put a subscription under a schedule whose only phase is its present period."""
    if "from_subscription" not in params:
        if "customer" in params:
            raise not_in_the_sandbox("A schedule that begins a subscription")
        raise missing_parameter("customer")
    for name in sorted(params.keys() - {"from_subscription"}):
        raise ApiError(
            f"You cannot set `{name}` if `from_subscription` is set.", param=name
        )
    subscription = context.fetch(
        "subscription", params["from_subscription"], param="from_subscription"
    )
    _check_migration(subscription)
    context = context.following(subscription)
    schedule = context.create(_KIND, **_values(subscription))
    context.emit("subscription_schedule.created", schedule)
    context.change(
        subscription, event="customer.subscription.updated", schedule=schedule["id"]
    )
    scheduling.plan(context, schedule)
    return schedule


@operation("GET", "/v1/subscription_schedules/{schedule}")
def retrieve(context: Context, params: Json, schedule: str) -> Json:
    """Return a schedule."""
    return context.fetch(_KIND, schedule)


@operation("POST", "/v1/subscription_schedules/{schedule}")
def update(context: Context, params: Json, schedule: str) -> Json:
    """Change the present and the coming phases; past ones may be left out."""
    refuse_unsupported("Subscription schedules", params, _UPDATES)
    before = _open(context, schedule, verb="update")
    context = context.following(before)
    values = updated(before, params, "end_behavior")
    if values.get("end_behavior", "release") not in ("release", "cancel"):
        raise not_in_the_sandbox(f"`end_behavior` {values['end_behavior']}")
    if "phases" in params:
        values |= _phases(context, before, params["phases"])
    after = context.change(before, event="subscription_schedule.updated", **values)
    behavior = params.get("proration_behavior", "create_prorations")
    scheduling.follow(context, after, proration_behavior=behavior)
    scheduling.plan(context, after)
    return after


@operation("POST", "/v1/subscription_schedules/{schedule}/release")
def release(context: Context, params: Json, schedule: str) -> Json:
    """Leave the subscription as it is, without further phases."""
    before = _open(context, schedule, verb="release")
    keep = params.get("preserve_cancel_date", False)
    return scheduling.release(context.following(before), before, keep_cancel_date=keep)


@operation("POST", "/v1/subscription_schedules/{schedule}/cancel")
def cancel(context: Context, params: Json, schedule: str) -> Json:
    """End a schedule and its subscription now."""
    before = _open(context, schedule, verb="cancel")
    context = context.following(before)
    canceled = scheduling.close(context, before, "canceled", event="canceled")
    ending.cancel(
        context,
        context.fetch("subscription", before["subscription"]),
        prorate=params.get("prorate", True),
        invoice_now=params.get("invoice_now", True),
    )
    return canceled


@operation("GET", "/v1/subscription_schedules")
def list_schedules(context: Context, params: Json) -> Json:
    """List schedules, newest first."""
    refuse_unsupported("the list of subscription schedules", params, _LISTED_BY)
    keep = Filter(customer=params.get("customer")).created(params.get("created"))
    if params.get("scheduled"):
        keep.one_of("status", ["not_started"])
    return page(context, _KIND, params, url="/v1/subscription_schedules", keep=keep)


def _check_migration(subscription: Json) -> None:
    if subscription["status"] in ending.ENDED:
        raise ApiError(
            "You cannot migrate a subscription that is in the"
            f" `{subscription['status']}` status.",
            param="from_subscription",
        )
    if subscription["schedule"]:
        raise ApiError(
            "You cannot migrate a subscription that is already attached to a schedule:"
            f" `{subscription['schedule']}`.",
            param="from_subscription",
        )


def _values(subscription: Json) -> Json:
    phase = schedule_phases.of_subscription(subscription)
    return {
        "billing_mode": subscription["billing_mode"],
        "current_phase": {
            "end_date": phase["end_date"],
            "start_date": phase["start_date"],
        },
        "customer": subscription["customer"],
        "default_settings": _default_settings(subscription),
        # A subscription that was about to end still ends.
        "end_behavior": "cancel" if subscription["cancel_at"] else "release",
        "phases": [phase],
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
    }


def _default_settings(subscription: Json) -> Json:
    return {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": subscription["default_payment_method"],
        "description": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "days_until_due": None,
            "issuer": {"type": "self"},
        },
        "on_behalf_of": None,
        "transfer_data": None,
    }


def _open(context: Context, schedule_id: str, *, verb: str) -> Json:
    schedule = context.fetch(_KIND, schedule_id)
    if schedule["status"] != "active":
        raise ApiError(
            f"You cannot {verb} a subscription schedule that is currently in the"
            f" `{schedule['status']}` status. It must be in one of the following"
            " statuses: not_started, active."
        )
    return schedule


def _phases(context: Context, schedule: Json, given: list[Json]) -> Json:
    subscription = context.fetch("subscription", schedule["subscription"])
    phases = schedule_phases.read(context, given, subscription=subscription)
    current = schedule["current_phase"]
    for phase in phases:
        if phase["start_date"] <= context.now < phase["end_date"]:
            if phase["start_date"] != current["start_date"]:
                raise ApiError(
                    "You can not modify the start date of the current phase. If the"
                    " current phase's start date needs to be changed, please create a"
                    " new schedule.",
                    param="phases",
                )
            now = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
            return {"current_phase": now, "phases": phases}
    raise ApiError(
        "The phases must include the current phase of the subscription schedule, which"
        f" began at {current['start_date']}.",
        param="phases",
    )
