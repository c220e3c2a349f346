"""The phases of a subscription schedule, as they are given and as they are kept."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_parameter, not_in_the_sandbox
from stripe_sandbox.resources.fields import metadata, refuse_unsupported
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing.calendar import boundary

_SUPPORTED = frozenset({
    "billing_cycle_anchor", "collection_method", "currency", "default_payment_method",
    "description", "discounts", "duration", "end_date", "items", "metadata",
    "proration_behavior", "start_date", "trial_end",
})  # fmt: skip
_ITEM = frozenset({"metadata", "price", "quantity"})
_KEPT: Json = {
    "add_invoice_items": [],
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor": None,
    "billing_thresholds": None,
    "collection_method": None,
    "default_payment_method": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "invoice_settings": None,
    "on_behalf_of": None,
    "proration_behavior": "create_prorations",
    "transfer_data": None,
    "trial_end": None,
}


def of_subscription(subscription: Json) -> Json:
    """Return the present period of a subscription as a phase."""
    start, end = subscription_items.period_of(subscription)
    return {
        **_KEPT,
        "currency": subscription["currency"],
        "default_payment_method": subscription["default_payment_method"],
        "description": subscription["description"],
        "discounts": [_discount(each) for each in subscription["discounts"]],
        "end_date": end,
        "items": [
            _item(each["price"]["id"], each["quantity"], each["metadata"])
            for each in subscription_items.of(subscription)
        ],
        "metadata": subscription["metadata"],
        "start_date": start,
        "trial_end": subscription["trial_end"],
    }


def read(context: Context, given: list[Json], *, subscription: Json) -> list[Json]:
    """Return the phases of an update: each begins where the one before it ends.

    Raises:
        ApiError: they leave a gap, end before they begin, or ask for what the sandbox
            would have to ignore.
    """
    phases: list[Json] = []
    for position, phase in enumerate(given):
        name = f"phases[{position}]"
        previous_end = phases[-1]["end_date"] if phases else None
        start = _start(context, phase, previous_end, name)
        phases.append(_phase(context, phase, start, subscription, name))
    return phases


def delta(subscription: Json, phase: Json) -> list[Json]:
    """Return the items of an update that leads a subscription into a phase.

    What costs the same price stays the same item.
    """
    present = {
        each["price"]["id"]: each for each in subscription_items.of(subscription)
    }
    wanted = [
        {"price": item["price"], "quantity": item["quantity"]}
        | _replaced(present.pop(item["price"], None))
        for item in phase["items"]
    ]
    gone = [{"id": each["id"], "deleted": True} for each in present.values()]
    return wanted + gone


def differs(subscription: Json, phase: Json) -> bool:
    """Whether a subscription has other items than a phase."""
    present = [
        (each["price"]["id"], each["quantity"])
        for each in subscription_items.of(subscription)
    ]
    wanted = [(each["price"], each["quantity"]) for each in phase["items"]]
    return sorted(present) != sorted(wanted)


def _replaced(present: Json | None) -> Json:
    return {"id": present["id"]} if present else {}


def _start(context: Context, phase: Json, previous_end: int | None, name: str) -> int:
    given = phase.get("start_date", previous_end)
    if given is None:
        raise missing_parameter(f"{name}[start_date]")
    start = context.now if given == "now" else int(given)
    if previous_end is not None and start != previous_end:
        raise ApiError(
            "The `start_date` of a phase must equal the `end_date` of the phase before"
            " it.",
            param=f"{name}[start_date]",
        )
    return start


def _phase(
    context: Context, phase: Json, start: int, subscription: Json, name: str
) -> Json:
    refuse_unsupported("schedule phases", phase, _SUPPORTED)
    _check_modes(phase, subscription)
    items = [
        _read_item(context, item, f"{name}[items][{position}]")
        for position, item in enumerate(phase["items"])
    ]
    copied = (
        "default_payment_method",
        "description",
        "proration_behavior",
        "trial_end",
    )
    return {
        **_KEPT,
        **{each: phase[each] for each in copied if phase.get(each)},
        "currency": subscription["currency"],
        "discounts": [
            _read_discount(context, each, f"{name}[discounts][{position}]")
            for position, each in enumerate(phase.get("discounts") or [])
        ],
        "end_date": _end(context, phase, start, items, name),
        "items": items,
        "metadata": metadata(phase.get("metadata")),
        "start_date": start,
    }


def _check_modes(phase: Json, subscription: Json) -> None:
    if phase.get("billing_cycle_anchor", "automatic") != "automatic":
        raise not_in_the_sandbox("`billing_cycle_anchor` phase_start on phases")
    if phase.get("collection_method", "charge_automatically") == "send_invoice":
        raise not_in_the_sandbox("`collection_method` send_invoice")
    if phase.get("trial_end", subscription["trial_end"]) != subscription["trial_end"]:
        raise not_in_the_sandbox("Another `trial_end` on phases")
    if phase.get("currency", subscription["currency"]) != subscription["currency"]:
        raise ApiError("All phases must have the currency of the subscription.")


def _end(
    context: Context, phase: Json, start: int, items: list[Json], name: str
) -> int:
    if "end_date" in phase and "duration" in phase:
        raise ApiError(
            "You may only specify one of these parameters: end_date, duration.",
            param=f"{name}[end_date]",
        )
    if phase.get("end_date") == "now":
        raise not_in_the_sandbox("`end_date` now on phases")
    if "end_date" in phase:
        end = int(phase["end_date"])
    else:
        price = context.fetch("price", items[0]["price"])
        end = boundary(start, phase.get("duration") or price["recurring"], 1)
    if end <= start:
        raise ApiError(
            "The `end_date` of a phase must be after its `start_date`.",
            param=f"{name}[end_date]",
        )
    return end


def _read_item(context: Context, item: Json, name: str) -> Json:
    refuse_unsupported("schedule phases", item, _ITEM)
    if "price" not in item:
        raise missing_parameter(f"{name}[price]")
    price = context.fetch("price", item["price"], param=f"{name}[price]")
    if price["type"] != "recurring":
        raise ApiError(
            "The price specified is set to `type=one_time` but this field only accepts"
            " prices with `type=recurring`.",
            param=f"{name}[price]",
        )
    return _item(price["id"], item.get("quantity", 1), metadata(item.get("metadata")))


def _read_discount(context: Context, given: Json, name: str) -> Json:
    if "discount" not in given:
        raise not_in_the_sandbox("Another coupon on phases")
    param = f"{name}[discount]"
    discount = context.fetch("discount", given["discount"], param=param)
    return _discount(discount["id"])


def _discount(discount_id: str) -> Json:
    return {"coupon": None, "discount": discount_id, "promotion_code": None}


def _item(price_id: str, quantity: int, kept: Json) -> Json:
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": kept,
        "plan": price_id,
        "price": price_id,
        "quantity": quantity,
        "tax_rates": [],
    }
