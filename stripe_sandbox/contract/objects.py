"""Fills answers from the SDK's return classes: every field that Stripe sends."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, ForwardRef, Literal

from stripe import ListObject, StripeObject
from stripe._object_classes import get_object_class
from stripe._stripe_object import UntypedStripeObject

# A return class cannot tell "null" from "absent". Absent besides `deleted`, included
# lists and other variants of a tagged union:
_ABSENT = {
    "charge": {"authorization_code", "level3", "presentment_details"},
    "checkout.session": {"integration_identifier", "managed_payments",
                         "name_collection", "optional_items",
                         "presentment_details", "return_url",
                         "redirect_on_completion"},
    "coupon": {"applies_to", "currency_options"},
    "customer": {"business_name", "cash_balance", "individual_name",
                 "invoice_credit_balance", "tax"},
    "event": {"account", "context"},
    "invoice": {"amount_paid_off_stripe", "confirmation_secret", "customer_account",
                "status_details"},
    "invoiceitem": {"customer_account", "frozen_fields", "invoicing_rules"},
    "item": {"discounts", "taxes"},
    "payment_intent": {"hooks", "managed_payments", "payment_details",
                       "payment_record", "presentment_details"},
    "payment_method": {"custom", "radar_options"},
    "price": {"currency_options", "tiers"},
    "plan": {"tiers"},
    "refund": {"failure_balance_transaction", "failure_reason", "instructions_email",
               "next_action", "presentment_details"},
    "subscription": {"customer_account", "managed_payments", "presentment_details",
                     "status_details"},
    "webhook_endpoint": {"secret"},
}  # fmt: skip
_TAGGED_UNIONS = frozenset({"payment_method"})


def fill(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return an object of this kind with every field, `id` and `object` first.

    Raises:
        LookupError: a value is not a field of the kind, or a field that has no
            natural empty value is missing; either is a mistake in the sandbox.
    """
    hints = _hints(kind)
    unknown = values.keys() - hints.keys()
    if unknown:
        raise LookupError(f"{kind} has no {sorted(unknown)}")
    absent = _absent(kind) - values.keys()
    given = {"object": kind, "livemode": False, **values}
    body = {
        name: given[name] if name in given else _empty(hint, f"{kind}.{name}")
        for name, hint in sorted(hints.items())
        if name not in absent
    }
    return {key: body[key] for key in ("id", "object") if key in body} | body


def has_field(kind: str, field: str) -> bool:
    """Whether objects of this kind have the field."""
    return field in _hints(kind)


def is_expandable(kind: str, field: str) -> bool:
    """Whether the field holds an id that `expand` may replace by its object."""
    hint = _hints(kind).get(field)
    members = typing.get_args(hint) if _is_union(hint) else ()
    return str in members and any(isinstance(m, ForwardRef) for m in members)


@functools.cache
def _hints(kind: str) -> dict[str, Any]:
    return _fields_of(get_object_class("V1", kind))


def _fields_of(cls: type[StripeObject]) -> dict[str, Any]:
    annotations = cls.__annotations__
    return {
        name: hint
        for name, hint in annotations.items()
        if not name.startswith("_") and name != "OBJECT_NAME"
    }


@functools.cache
def _absent(kind: str) -> frozenset[str]:
    hints = _hints(kind)
    lists = {name for name, hint in hints.items() if _is_optional_list_object(hint)}
    variants = _tags(hints["type"]) if kind in _TAGGED_UNIONS else set()
    return frozenset({"deleted"} | lists | variants | _ABSENT.get(kind, set()))


def _tags(hint: object) -> set[str]:
    return {
        value
        for member in typing.get_args(hint)
        if typing.get_origin(member) is Literal
        for value in typing.get_args(member)
    }


def _is_union(hint: object) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _is_optional_list_object(hint: object) -> bool:
    return any(typing.get_origin(m) is ListObject for m in typing.get_args(hint))


def _empty(hint: object, name: str) -> object:
    origin = typing.get_origin(hint)
    if type(None) in typing.get_args(hint):
        return None
    if hint is bool:
        return False
    if origin is list:
        return []
    if origin is UntypedStripeObject:
        return {}
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return {
            field: _empty(inner, f"{name}.{field}")
            for field, inner in sorted(_fields_of(hint).items())
        }
    raise LookupError(f"{name} needs a value")
