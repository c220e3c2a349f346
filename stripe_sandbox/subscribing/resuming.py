"""A paused subscription goes on, in a new period."""

from __future__ import annotations

from stripe_sandbox import charging
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.subscribing import changing


def resume(context: Context, subscription: Json, params: Json) -> Json:
    """Resume a subscription that was paused when its trial ended.

    Raises:
        ApiError: it is not paused.
    """
    if subscription["status"] != "paused":
        raise ApiError(
            "You can only resume subscriptions with a status of `paused`. This"
            f" subscription has a status of `{subscription['status']}`."
        )
    if params.get("billing_cycle_anchor", {}).get("type") == "unchanged":
        raise not_in_the_sandbox("Resuming with `billing_cycle_anchor` unchanged")
    if params.get("payment_behavior") == "resume_on_payment_attempt":
        raise not_in_the_sandbox("`payment_behavior` resume_on_payment_attempt")
    restart = {
        "billing_cycle_anchor": {"type": "now"},
        "payment_behavior": "error_if_incomplete",
        "proration_behavior": "none",
    }
    with charging.all_or_failed_charge(context):
        resumed = changing.changed(context, subscription, restart, {"status": "active"})
    context.emit("customer.subscription.resumed", resumed)
    return resumed
