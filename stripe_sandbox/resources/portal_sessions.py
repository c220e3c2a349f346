"""Sessions of the billing portal: a customer's way in, for a short time."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources import customers, portal_configurations
from stripe_sandbox.resources.fields import refuse_unsupported

KIND = "billing_portal.session"
_SUPPORTED = frozenset({"configuration", "customer", "flow_data", "locale",
                        "return_url"})  # fmt: skip
_FLOWS = {
    "customer_update": "customer_update",
    "payment_method_update": "payment_method_update",
    "subscription_cancel": "subscription_cancel",
}


@operation("POST", "/v1/billing_portal/sessions")
def create(context: Context, params: Json) -> Json:
    """Let a customer in; the link is good for five minutes, then for an hour."""
    refuse_unsupported("Portal sessions", params, _SUPPORTED)
    if "customer" not in params:
        raise missing_parameter("customer")
    customers.existing(context, params["customer"], param="customer")
    configuration = _configuration(context, params)
    session_id = new_id("bps")
    flow = params.get("flow_data")
    return context.create(
        KIND,
        event="billing_portal.session.created",
        id=session_id,
        configuration=configuration["id"],
        customer=params["customer"],
        flow=_flow(context, configuration, flow, params["customer"]) if flow else None,
        locale=params.get("locale"),
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{context.base_url}/p/session/{session_id}",
    )


def _configuration(context: Context, params: Json) -> Json:
    if "configuration" not in params:
        return portal_configurations.default(context)
    return context.fetch(
        portal_configurations.KIND, params["configuration"], param="configuration"
    )


def _flow(context: Context, configuration: Json, given: Json, customer: str) -> Json:
    kind = given["type"]
    if kind not in _FLOWS:
        raise not_in_the_sandbox(f"`flow_data[type]` {kind}")
    if not configuration["features"][_FLOWS[kind]]["enabled"]:
        raise ApiError(
            f"You cannot use `flow_data[type]={kind}`: the feature"
            f" `{_FLOWS[kind]}` is not enabled in the portal configuration"
            f" `{configuration['id']}`.",
            param="flow_data[type]",
        )
    cancels = given.get("subscription_cancel")
    if kind == "subscription_cancel":
        _check_subscription(context, cancels, customer)
    after = given.get("after_completion", {"type": "portal_homepage"})
    return {
        "after_completion": {
            "hosted_confirmation": after.get("hosted_confirmation"),
            "redirect": after.get("redirect"),
            "type": after["type"],
        },
        "subscription_cancel": cancels and {"retention": None, **cancels},
        "subscription_pause": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": kind,
    }


def _check_subscription(context: Context, given: Json | None, customer: str) -> None:
    name = "flow_data[subscription_cancel][subscription]"
    if not given:
        raise missing_parameter(name)
    if given.get("retention"):
        raise not_in_the_sandbox("`retention` on Portal sessions")
    subscription = context.fetch("subscription", given["subscription"], param=name)
    if subscription["customer"] != customer:
        raise ApiError(
            f"The subscription `{subscription['id']}` does not belong to the customer"
            f" `{customer}`.",
            param=name,
        )
    if subscription["cancel_at"] or subscription["status"] == "canceled":
        raise ApiError(
            f"The subscription `{subscription['id']}` is already set to be canceled.",
            param=name,
        )
