"""Configurations of the billing portal: what a customer may do there."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.resources.fields import metadata, refuse_unsupported, updated

KIND = "billing_portal.configuration"
_PARAMETERS = frozenset({
    "business_profile", "default_return_url", "features", "metadata", "name",
})  # fmt: skip
_EDITABLE = frozenset({"address", "email", "name", "phone", "tax_id"})
_REASONS = ["too_expensive", "missing_features", "switched_service", "unused",
            "customer_service", "too_complex", "low_quality", "other"]  # fmt: skip
_OFF: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {
            "enabled": False,
            "feedback_options": None,
            "options": _REASONS,
        },
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {"interval_options": [], "type": "indefinite"},
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
_DASHBOARD: Json = {
    "customer_update": {"allowed_updates": ["address", "name"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}


@operation("POST", "/v1/billing_portal/configurations")
def create(context: Context, params: Json) -> Json:
    """Say what customers may do in the portal."""
    refuse_unsupported("Portal configurations", params, _PARAMETERS | {"login_page"})
    if params.get("login_page", {}).get("enabled"):
        raise not_in_the_sandbox("`login_page` on Portal configurations")
    return _add(context, params, is_default=False)


@operation("GET", "/v1/billing_portal/configurations/{configuration}")
def retrieve(context: Context, params: Json, configuration: str) -> Json:
    """Return a configuration."""
    return context.fetch(KIND, configuration)


@operation("POST", "/v1/billing_portal/configurations/{configuration}")
def update(context: Context, params: Json, configuration: str) -> Json:
    """Change a configuration."""
    refuse_unsupported("Portal configurations", params, _PARAMETERS | {"active"})
    before = context.fetch(KIND, configuration)
    values = updated(before, params, "active", "default_return_url", "name")
    if "features" in params:
        values["features"] = _features(params["features"], before["features"])
    if "business_profile" in params:
        given = before["business_profile"] | params["business_profile"]
        values["business_profile"] = _profile(given)
    return context.change(
        before,
        event="billing_portal.configuration.updated",
        **values,
        updated=context.now,
    )


@operation("GET", "/v1/billing_portal/configurations")
def list_configurations(context: Context, params: Json) -> Json:
    """List configurations, newest first."""
    keep = Filter(active=params.get("active"), is_default=params.get("is_default"))
    return page(
        context, KIND, params, url="/v1/billing_portal/configurations", keep=keep
    )


def default(context: Context) -> Json:
    """Return the configuration that the dashboard would have saved."""
    found = context.store.find(KIND, is_default=True)
    return (
        found[0] if found else _add(context, {"features": _DASHBOARD}, is_default=True)
    )


def _add(context: Context, params: Json, *, is_default: bool) -> Json:
    return context.create(
        KIND,
        event="billing_portal.configuration.created",
        active=True,
        business_profile=_profile(params.get("business_profile", {})),
        default_return_url=params.get("default_return_url") or None,
        features=_features(params["features"], _OFF),
        is_default=is_default,
        login_page={"enabled": False, "url": None},
        metadata=metadata(params.get("metadata")),
        name=params.get("name") or None,
        updated=context.now,
    )


def _features(given: Json, before: Json) -> Json:
    for name in ("subscription_pause", "subscription_update"):
        if given.get(name, {}).get("enabled"):
            raise not_in_the_sandbox(f"`features[{name}]` on Portal configurations")
    merged = {name: before[name] | given.get(name, {}) for name in before}
    reason = given.get("subscription_cancel", {}).get("cancellation_reason", {})
    kept = before["subscription_cancel"]["cancellation_reason"]
    merged["subscription_cancel"]["cancellation_reason"] = kept | reason
    _check(merged["customer_update"])
    return merged


def _check(customer_update: Json) -> None:
    allowed = customer_update["allowed_updates"] or []
    if customer_update["enabled"] and not allowed:
        raise ApiError(
            "You must pass `features[customer_update][allowed_updates]` when"
            " `features[customer_update][enabled]` is `true`.",
            param="features[customer_update][allowed_updates]",
        )
    for name in sorted(set(allowed) - _EDITABLE):
        raise not_in_the_sandbox(f"`allowed_updates` {name} on Portal configurations")


def _profile(given: Json) -> Json:
    names = ("headline", "privacy_policy_url", "terms_of_service_url")
    return {name: given.get(name) or None for name in names}
