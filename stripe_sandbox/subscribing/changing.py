"""Updates of a subscription: what one would do, and doing it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.invoicing import drafts, finalizing
from stripe_sandbox.invoicing.drafts import Wanted
from stripe_sandbox.resources import invoice_items
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing import (
    pending,
    proration,
    redemptions,
    renewing,
    starting,
    terms,
)
from stripe_sandbox.subscribing.calendar import boundary_after
from stripe_sandbox.subscribing.period_lines import lines_of


@dataclass(frozen=True, slots=True)
class Change:
    """What an update does: to the subscription, and to the customer's money."""

    at: int
    values: Json
    prorations: list[Json] = field(default_factory=list)
    """Values of invoice items, credits before debits."""
    lines: list[Json] = field(default_factory=list)
    """Full periods that begin now."""
    bills: bool = False


def planned(context: Context, subscription: Json, params: Json) -> Change:
    """Return what an update of items, trial or billing cycle would do.

    Raises:
        ApiError: the parameters do not fit the subscription.
    """
    at = _proration_date(context, subscription, params)
    items = subscription_items.merged(context, subscription, params.get("items", []))
    behavior = params.get("proration_behavior", "create_prorations")
    if _restarts(subscription, items, params):
        change = _restarted(context, subscription, items, params)
        prorations = _credits(context, subscription, [], at)
    else:
        end = subscription_items.held(
            subscription, subscription_items.natural_end(subscription)
        )
        change = _continued(subscription, items, at, end)
        prorations = _of_change(context, subscription, items, at, end)
    if behavior == "none" or subscription["status"] == "trialing":
        prorations = []
    at_once = behavior == "always_invoice" and bool(prorations)
    return replace(change, at=at, prorations=prorations, bills=change.bills or at_once)


def billed(context: Context, subscription: Json, change: Change) -> Json | None:
    """Make a change's prorations and, if it bills at once, the draft of its invoice."""
    made = [invoice_items.add(context, values) for values in change.prorations]
    if not change.bills:
        proration.remember_items(context, subscription["id"], made)
        return None
    customer = context.fetch("customer", subscription["customer"])
    waiting = invoice_items.pending_of(
        context, customer["id"], subscription=subscription["id"], others=False
    )
    wanted = Wanted(
        customer=customer,
        reason="subscription_update",
        currency=subscription["currency"],
        period=(context.now, context.now),
        subscription=subscription,
        items=waiting,
        lines=change.lines,
        proration_date=change.at if made else None,
    )
    return drafts.draft(context, wanted)


def changed(
    context: Context, subscription: Json, params: Json, plain: Json | None = None
) -> Json:
    """Change a subscription and collect what that costs as `payment_behavior` says.

    `plain` are further new values, which cost nothing.

    Raises:
        ApiError: there is no card; or with `error_if_incomplete` it was not paid (402).
    """
    behavior = params.get("payment_behavior", "allow_incomplete")
    subscription = pending.discard(context, subscription)
    current = context.change(subscription, **plain or {})
    change = planned(context, current, params)
    invoice = billed(context, current, change)
    if invoice:
        invoice = _collected(context, invoice, behavior)
        if behavior == "pending_if_incomplete" and invoice["status"] == "open":
            return pending.keep(context, current, change.values, invoice)
    values = (plain or {}) | change.values
    return applied(context, subscription, values, invoice)


def applied(
    context: Context, subscription: Json, values: Json, invoice: Json | None
) -> Json:
    """Put new values into effect, with the invoice that was made for them."""
    if invoice:
        proration.remember_lines(context, subscription["id"], invoice)
        status = values.get("status", subscription["status"])
        unpaid = invoice["status"] == "open"
        values = values | {
            "discounts": redemptions.outlasting(
                context, subscription | values, invoice
            ),
            "latest_invoice": invoice["id"],
            "status": "past_due" if unpaid else status,
        }
    before = subscription_items.period_of(subscription)
    after = subscription_items.period_of(subscription | values)
    if after != before and subscription["cancel_at_period_end"]:
        values = {"cancel_at": after[1]} | values
    subscription = context.change(
        subscription, event="customer.subscription.updated", **values
    )
    if after != before:
        renewing.plan(context, subscription)
    return subscription


def _collected(context: Context, invoice: Json, behavior: str) -> Json:
    retried = behavior == "allow_incomplete"
    invoice = finalizing.finalize(context, invoice, auto_advance=retried)
    if invoice["status"] == "open" and behavior != "default_incomplete":
        starting.pay_first(context, invoice, strictly=behavior == "error_if_incomplete")
    return context.fetch("invoice", invoice["id"])


def _proration_date(context: Context, subscription: Json, params: Json) -> int:
    if "proration_date" not in params:
        return context.now
    at: int = params["proration_date"]
    start, end = subscription_items.period_of(subscription)
    if not start <= at <= end:
        raise ApiError(
            "Invalid `proration_date`: it must be within the current billing period of"
            " the subscription.",
            param="proration_date",
        )
    return at


def _restarts(subscription: Json, items: list[Json], params: Json) -> bool:
    """Whether a new period begins now."""
    trialing = subscription["status"] == "trialing"
    if params.get("billing_cycle_anchor", {}).get("type") == "now":
        return True
    if "trial_end" in params and (trialing or params["trial_end"] != "now"):
        return True
    old = subscription_items.recurring_of(subscription_items.of(subscription))
    new = subscription_items.recurring_of(items)
    same = all(old[name] == new[name] for name in ("interval", "interval_count"))
    return not (same or trialing)


def _restarted(
    context: Context, subscription: Json, items: list[Json], params: Json
) -> Change:
    trial_end = terms.trial_end_of(context, params.get("trial_end"))
    values = _trial_values(context, subscription, trial_end)
    recurring = subscription_items.recurring_of(items)
    end = trial_end or boundary_after(context.now, recurring, context.now)
    end = subscription_items.held(subscription, end)
    items = subscription_items.in_period(items, (context.now, end))
    values |= {
        "billing_cycle_anchor": trial_end or context.now,
        "items": subscription_items.listed(items, subscription["id"]),
    }
    lines = lines_of(context, subscription | values)
    return Change(context.now, values, lines=lines, bills=True)


def _trial_values(context: Context, subscription: Json, trial_end: int | None) -> Json:
    trialing = subscription["status"] == "trialing"
    if trial_end:
        started = subscription["trial_start"] if trialing else context.now
        return {"status": "trialing", "trial_end": trial_end, "trial_start": started}
    return {"status": "active", "trial_end": context.now} if trialing else {}


def _continued(subscription: Json, items: list[Json], at: int, end: int) -> Change:
    start, _ = subscription_items.period_of(subscription)
    items = subscription_items.in_period(items, (start, end))
    return Change(at, {"items": subscription_items.listed(items, subscription["id"])})


def _of_change(
    context: Context, subscription: Json, items: list[Json], at: int, end: int
) -> list[Json]:
    """Credits and debits of the items that came, went, or cost something else now.

    Of the others, if the period now ends at another time.
    """
    _, old_end = subscription_items.period_of(subscription)
    old = {item["id"]: _terms(item) for item in subscription_items.of(subscription)}
    unchanged = [item["id"] for item in items if old.get(item["id"]) == _terms(item)]
    remaining = [
        item
        | {
            "current_period_end": end,
            "current_period_start": old_end if item["id"] in unchanged else at,
        }
        for item in items
    ]
    debits = proration.debits(context, subscription, remaining)
    given_back = _credits(context, subscription, unchanged, at)
    for item in subscription_items.of(subscription):
        if item["id"] in unchanged:
            given_back += proration.credits_for(context, subscription, item, end)
    return given_back + debits


def _credits(
    context: Context, subscription: Json, unchanged: list[str], at: int
) -> list[Json]:
    return [
        values
        for item in subscription_items.of(subscription)
        if item["id"] not in unchanged
        for values in proration.credits_for(context, subscription, item, at)
    ]


def _terms(item: Json) -> tuple[str, int]:
    return item["price"]["id"], item["quantity"]
