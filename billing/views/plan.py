"""Plan & billing: the plan, what else is offered, and how plans follow one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may, who_may
from billing import stripe_gateway
from billing.changes import changing, offers, previewing, progress
from billing.core.transitions import TRANSITIONS
from billing.disputes import doubts
from billing.models import Customer, Interval, Invoice, InvoiceStatus
from billing.overview import plan_card
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from billing.purchases import receipts
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from billing.models import Subscription

_LATEST_PURCHASES = 5


@require_safe
@requires(Permission.VIEW_BILLING)
def plan(request: AccountRequest) -> HttpResponse:
    """Show the plan, what is about to change, what else is offered, and purchases."""
    at, account = now(), request.account
    subscription = subscribing.live_subscription(account.pk)
    card = plan_card(subscription, at=at)
    opened = changing.open_change(account.pk)
    context = {
        "plan": card,
        "comparison": offers.comparison(
            subscription, interval=_interval(request, subscription), at=at
        ),
        "scheduled": changing.scheduled_change(account.pk),
        "open": progress.progress_of(opened, at=at) if opened else None,
        "obstacle": previewing.obstacle(subscription, at=at),
        "doubts": doubts.doubts_of(account.pk),
        "unpaid": _unpaid(subscription, card.standing),
        "may_change": may(request.membership.role, Permission.CHANGE_PLAN),
        "changers": who_may(Permission.CHANGE_PLAN),
        "is_customer": Customer.objects.filter(account=account).exists(),
        "receipts": receipts.receipts_of(account, limit=_LATEST_PURCHASES, at=at),
    }
    return render(request, "billing/plan.html", context)


@require_safe
@requires(Permission.VIEW_BILLING)
def plan_moves(request: AccountRequest) -> HttpResponse:
    """Print the table that decides which plan can follow which, and when."""
    return render(request, "billing/plan_moves.html", {"transitions": TRANSITIONS})


@require_POST
@requires(Permission.CHANGE_PLAN)
def payment_details(request: AccountRequest) -> HttpResponse:
    """Lead to Stripe's pages for cards and billing address."""
    customer = get_object_or_404(Customer, account=request.account)
    back = reverse("billing:plan")
    try:
        url = stripe_gateway.open_portal(
            customer.stripe_customer_id, return_url=settings.BASE_URL + back
        )
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _("Stripe cannot be reached right now. Try again."))
        return see_other(back)
    return see_other(url)


def _interval(request: AccountRequest, subscription: Subscription | None) -> Interval:
    asked = request.GET.get("interval", "").upper()
    if asked in Interval.values:
        return Interval(asked)
    return Interval(subscription.interval) if subscription else Interval.MONTH


def _unpaid(subscription: Subscription | None, standing: Standing) -> Invoice | None:
    if subscription is None or standing not in {Standing.OVERDUE, Standing.BLOCKED}:
        return None
    bills = subscription.invoices.filter(status=InvoiceStatus.OPEN)
    return bills.order_by("created_at").first()
