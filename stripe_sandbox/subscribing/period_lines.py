"""What is billed for a period that begins."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import lines as invoice_lines
from stripe_sandbox.subscribing import items as subscription_items


def lines_of(
    context: Context, subscription: Json, *, prorates: bool = True
) -> list[Json]:
    """Return the lines for the current period: its part of the cycle, if it is short.

    Without `prorates` a short period costs nothing.
    """
    items = subscription_items.of(subscription)
    if subscription["status"] == "trialing":
        return [invoice_lines.for_trial(context, subscription, item) for item in items]
    start, end = subscription_items.period_of(subscription)
    whole_s = subscription_items.cycle_s(subscription["billing_cycle_anchor"], items)
    part_s = end - start if prorates or end - start == whole_s else 0
    return [
        invoice_lines.for_cycle(
            context, subscription, item, part_s=part_s, of_s=whole_s
        )
        for item in items
    ]
