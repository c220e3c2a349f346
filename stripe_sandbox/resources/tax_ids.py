"""Tax ids of customers: kept, printed on invoices, and checked by no authority."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import missing_resource
from stripe_sandbox.resources import customers
from stripe_sandbox.resources.fields import refuse_unsupported

_UNVERIFIED = {
    "status": "unverified",
    "verified_address": None,
    "verified_name": None,
}


@operation("POST", "/v1/customers/{customer}/tax_ids")
def create(context: Context, params: Json, customer: str) -> Json:
    """Add a tax id to a customer."""
    refuse_unsupported("Tax ids", params, frozenset({"type", "value"}))
    customers.existing(context, customer)
    return context.create(
        "tax_id",
        event="customer.tax_id.created",
        country=_country(params["type"], params["value"]),
        customer=customer,
        owner={
            "account": None,
            "application": None,
            "customer": customer,
            "customer_account": None,
            "type": "customer",
        },
        type=params["type"],
        value=params["value"],
        verification=_UNVERIFIED,
    )


@operation("GET", "/v1/customers/{customer}/tax_ids/{id}")
def retrieve(context: Context, params: Json, customer: str, id: str) -> Json:  # noqa: A002
    """Return a tax id of a customer."""
    found = context.fetch("tax_id", id)
    if found.get("customer") != customer:
        raise missing_resource("tax_id", id)
    return found


@operation("DELETE", "/v1/customers/{customer}/tax_ids/{id}")
def delete(context: Context, params: Json, customer: str, id: str) -> Json:  # noqa: A002
    """Take a tax id off a customer; invoices that have it keep it."""
    before = retrieve(context, params, customer, id)
    gone = {"id": id, "object": "tax_id", "deleted": True}
    context.emit("customer.tax_id.deleted", before)
    context.store.replace(gone)
    return gone


@operation("GET", "/v1/customers/{customer}/tax_ids")
def list_tax_ids(context: Context, params: Json, customer: str) -> Json:
    """List the tax ids of a customer, newest first."""
    customers.existing(context, customer)
    return page(
        context,
        "tax_id",
        params,
        url=f"/v1/customers/{customer}/tax_ids",
        keep=Filter(customer=customer),
    )


def _country(kind: str, value: str) -> str | None:
    # Only the value says in which country of the union it was given.
    scheme = value if kind in {"eu_vat", "eu_oss_vat"} else kind
    return None if kind == "unknown" else scheme[:2].upper()
