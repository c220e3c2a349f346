"""Webhook endpoints. The signing secret is told once, at creation."""

from __future__ import annotations

from urllib.parse import urlsplit

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.ids import token
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.resources.fields import metadata, updated


@operation("POST", "/v1/webhook_endpoints")
def create(context: Context, params: Json) -> Json:
    """Create an endpoint; only this answer carries `secret`."""
    if params.get("connect"):
        raise not_in_the_sandbox("`connect` on webhook endpoints")
    _check_url(params["url"])
    secret = f"whsec_{token(32)}"
    endpoint = context.create(
        "webhook_endpoint",
        notes={"secret": secret},
        api_version=params.get("api_version"),
        description=params.get("description") or None,
        enabled_events=params["enabled_events"],
        metadata=metadata(params.get("metadata")),
        status="enabled",
        url=params["url"],
    )
    return endpoint | {"secret": secret}


@operation("GET", "/v1/webhook_endpoints/{webhook_endpoint}")
def retrieve(context: Context, params: Json, webhook_endpoint: str) -> Json:
    """Return an endpoint, without its secret."""
    return _existing(context, webhook_endpoint)


@operation("POST", "/v1/webhook_endpoints/{webhook_endpoint}")
def update(context: Context, params: Json, webhook_endpoint: str) -> Json:
    """Change an endpoint; its `api_version` can never change."""
    before = _existing(context, webhook_endpoint)
    if "url" in params:
        _check_url(params["url"])
    values = updated(before, params, "description", "enabled_events", "url")
    if "disabled" in params:
        values["status"] = "disabled" if params["disabled"] else "enabled"
    return context.change(before, **values)


@operation("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}")
def delete(context: Context, params: Json, webhook_endpoint: str) -> Json:
    """Delete an endpoint; what it has not yet taken is dropped."""
    _existing(context, webhook_endpoint)
    gone = {"id": webhook_endpoint, "object": "webhook_endpoint", "deleted": True}
    context.store.replace(gone)
    return gone


@operation("GET", "/v1/webhook_endpoints")
def list_endpoints(context: Context, params: Json) -> Json:
    """List endpoints, newest first."""
    keep = Filter().where("json_extract(body, '$.deleted') IS NULL")
    url = "/v1/webhook_endpoints"
    return page(context, "webhook_endpoint", params, url=url, keep=keep)


def _existing(context: Context, endpoint_id: str) -> Json:
    endpoint = context.fetch("webhook_endpoint", endpoint_id)
    if endpoint.get("deleted"):
        return context.fetch("webhook_endpoint", f"{endpoint_id} (deleted)")
    return endpoint


def _check_url(url: str) -> None:
    # Stripe also wants a public host here; the portal of a sandbox is local.
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ApiError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
