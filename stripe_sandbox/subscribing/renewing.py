"""What happens at the end of a period: the next one begins with a draft invoice."""

from __future__ import annotations

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.reactions import reactions_to
from stripe_sandbox.engine.store import Json
from stripe_sandbox.invoicing import collecting, drafts
from stripe_sandbox.invoicing.drafts import Wanted
from stripe_sandbox.resources import invoice_items
from stripe_sandbox.subscribing import ending, proration, redemptions
from stripe_sandbox.subscribing import items as subscription_items
from stripe_sandbox.subscribing.calendar import DAY_S, boundary_after
from stripe_sandbox.subscribing.period_lines import lines_of

BEFORE_RENEWAL = "subscription.before_renewal"
"""Not an event of Stripe's: a schedule reacts to it and puts the next phase in."""

_DRAFT_S = 3600
_ANNOUNCED_BEFORE_S = 7 * DAY_S
_TRIAL_END_TOLD_BEFORE_S = 3 * DAY_S
_RENEWING = ("active", "past_due", "trialing", "unpaid")


def plan(context: Context, subscription: Json) -> None:
    """Put the end of the current period on the agenda, and what is told before it."""
    start, end = subscription_items.period_of(subscription)
    context.schedule("renew_subscription", subscription["id"], due_at=end)
    if end - _ANNOUNCED_BEFORE_S > start:
        due_at = end - _ANNOUNCED_BEFORE_S
        context.schedule("announce_renewal", subscription["id"], due_at=due_at)
    if subscription["trial_end"] == end:
        due_at = max(end - _TRIAL_END_TOLD_BEFORE_S, context.now)
        context.schedule("announce_trial_end", subscription["id"], due_at=due_at)


@task("renew_subscription")
def renew_when_due(context: Context, subscription_id: str) -> None:
    """Renew or end a subscription whose period is over."""
    subscription = context.fetch("subscription", subscription_id)
    if not _is_due(context, subscription):
        return
    subscription = _led_on(context, subscription)
    if ending.is_due(context, subscription):
        ending.end(context, subscription)
    elif _trial_ends_without_card(context, subscription):
        _end_trial_without_card(context, subscription)
    else:
        renew(context, subscription)


@task("announce_renewal")
def announce(context: Context, subscription_id: str) -> None:
    """Tell of the invoice to come; it has no existence yet."""
    subscription = context.fetch("subscription", subscription_id)
    _, end = subscription_items.period_of(subscription)
    goes_on = subscription["status"] in _RENEWING
    if end != context.now + _ANNOUNCED_BEFORE_S or not goes_on:
        return
    if not ending.is_due(context.at(end), subscription):
        with context.store.rehearsal():
            invoice = next_invoice(context.at(end), subscription)
        context.emit("invoice.upcoming", as_upcoming(invoice))


@task("announce_trial_end")
def announce_trial_end(context: Context, subscription_id: str) -> None:
    """Tell that a trial ends in three days, or sooner."""
    subscription = context.fetch("subscription", subscription_id)
    if subscription["status"] == "trialing":
        context.emit("customer.subscription.trial_will_end", subscription)


def renew(context: Context, subscription: Json) -> Json:
    """Begin the next period and draft its invoice, collected an hour later."""
    renewed = subscription | _next_period(context, subscription)
    invoice = draft(context, renewed)
    proration.remember_lines(context, subscription["id"], invoice)
    renewed = context.change(
        subscription,
        event="customer.subscription.updated",
        discounts=redemptions.outlasting(context, subscription, invoice),
        items=renewed["items"],
        latest_invoice=invoice["id"],
        status=renewed["status"],
    )
    plan(context, renewed)
    if invoice["auto_advance"]:
        context.schedule(
            "finalize_invoice", invoice["id"], due_at=context.now + _DRAFT_S
        )
    return renewed


def next_invoice(context: Context, subscription: Json) -> Json:
    """Draft the invoice of the next period, as if that began now: for rehearsals."""
    subscription = _led_on(context, subscription)
    return draft(context, subscription | _next_period(context, subscription))


def draft(context: Context, subscription: Json) -> Json:
    """Draft a period's invoice: what is pending, then the period itself."""
    customer = context.fetch("customer", subscription["customer"])
    start, _ = subscription_items.period_of(
        context.fetch("subscription", subscription["id"])
    )
    collects = subscription["status"] != "unpaid"
    wanted = Wanted(
        customer=customer,
        reason="subscription_cycle",
        currency=subscription["currency"],
        period=(start, context.now),
        subscription=subscription,
        items=invoice_items.pending_of(
            context, customer["id"], subscription=subscription["id"]
        ),
        lines=lines_of(context, subscription),
        auto_advance=collects,
        finalizes_at=context.now + _DRAFT_S if collects else None,
    )
    return drafts.draft(context, wanted)


def as_upcoming(invoice: Json) -> Json:
    """Return a draft as a preview shows it: no object of that id exists."""
    token = invoice["id"].removeprefix("in_")
    return invoice | {"id": f"upcoming_in_{token}"}


def _is_due(context: Context, subscription: Json) -> bool:
    _, end = subscription_items.period_of(subscription)
    return subscription["status"] in _RENEWING and end == context.now


def _led_on(context: Context, subscription: Json) -> Json:
    """Let a schedule put its next phase in; return the subscription as it then is."""
    for react in reactions_to(BEFORE_RENEWAL):
        react(context, subscription)
    return context.fetch("subscription", subscription["id"])


def _next_period(context: Context, subscription: Json) -> Json:
    items = subscription_items.of(subscription)
    recurring = subscription_items.recurring_of(items)
    start = subscription_items.period_of(subscription)[1]
    end = boundary_after(subscription["billing_cycle_anchor"], recurring, start)
    end = subscription_items.held(subscription, end)
    status = subscription["status"]
    return {
        "items": subscription_items.listed(
            subscription_items.in_period(items, (start, end)), subscription["id"]
        ),
        "status": "active" if status == "trialing" else status,
    }


def _trial_ends_without_card(context: Context, subscription: Json) -> bool:
    if subscription["status"] != "trialing":
        return False
    settings = subscription["trial_settings"]["end_behavior"]
    if settings["missing_payment_method"] == "create_invoice":
        return False
    return not collecting.card_on_file(context, subscription)


def _end_trial_without_card(context: Context, subscription: Json) -> None:
    settings = subscription["trial_settings"]["end_behavior"]
    if settings["missing_payment_method"] == "cancel":
        ending.end(context, subscription)
        return
    paused = context.change(
        subscription, event="customer.subscription.updated", status="paused"
    )
    context.emit("customer.subscription.paused", paused)
