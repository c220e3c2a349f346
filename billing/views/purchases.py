"""Buying blocks, from the form to the receipt."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may, who_may
from billing import stripe_gateway
from billing.disputes import doubts
from billing.forms import BlocksForm, BuyBlocksForm
from billing.models import Purchase, PurchaseState
from billing.plans import catalogue, subscribing
from billing.purchases import purchasing, receipts, settling
from billing.purchases.add_ons import add_ons_of
from billing.views.polling import polling
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from accounts.models import Account
    from billing.models import BlockOffer

_LISTED = 100


@require_safe
@requires(Permission.VIEW_CREDITS)
def add_ons(request: AccountRequest) -> HttpResponse:
    """Show what blocks cost, with the number that a canceled checkout had."""
    offer = catalogue.blocks_in_force(at=now())
    asked = {"blocks": request.GET.get("blocks", str(offer.min_blocks))}
    return _add_ons(request, BlocksForm(asked, offer=offer), offer)


@require_POST
@requires(Permission.BUY_CREDITS)
def buy(request: AccountRequest) -> HttpResponse:
    """Open a purchase and send its buyer to the checkout page."""
    offer = catalogue.blocks_in_force(at=now())
    form = BuyBlocksForm(request.POST, offer=offer)
    if not form.is_valid():
        return _add_ons(request, form, offer, status=422)
    if form.cleaned_data["offer"] != offer.version:
        return _add_ons(request, form, offer, status=409, problem=_price_changed())
    if "update" in request.POST:
        # Without a script this is how the total follows the number.
        return _add_ons(request, form, offer)
    try:
        bought = _buy(request, form, offer)
    except purchasing.PurchaseRefused:
        return _add_ons(request, form, offer, status=403)
    except stripe_gateway.StripeUnavailable:
        return _add_ons(request, form, offer, status=503, problem=_stripe_is_silent())
    page = reverse("billing:purchase", args=[bought.public_id])
    can_pay = bought.state == PurchaseState.OPEN
    return see_other(bought.checkout_url if can_pay else page)


@require_safe
@requires(Permission.VIEW_BILLING)
def purchase_list(request: AccountRequest) -> HttpResponse:
    """List the purchases of the account with their receipts: older ones, if asked."""
    before, here = request.GET.get("before", ""), reverse("billing:purchases")
    found = receipts.receipts_of(
        request.account, limit=_LISTED + 1, at=now(), before=before
    )
    is_more, listed = len(found) > _LISTED, found[:_LISTED]
    context = {
        "receipts": listed,
        "newest_url": here if before else "",
        "older_url": f"{here}?before={listed[-1].public_id}" if is_more else "",
    }
    return render(request, "billing/purchases.html", context)


@require_safe
@requires(Permission.VIEW_BILLING)
def purchase(request: AccountRequest, public_id: str) -> HttpResponse:
    """Show where a purchase stands, after asking Stripe once: the way back from it."""
    at = now()
    found = _purchase(request.account, public_id)
    if found.state == PurchaseState.OPEN and found.stripe_session_id:
        # Silence changes nothing: webhook and sweeper will tell.
        with suppress(stripe_gateway.StripeUnavailable):
            settling.settle(session_id=found.stripe_session_id, at=at)
        found = _purchase(request.account, public_id)
    context = _status_context(request, found, at=at)
    context["doubts"] = doubts.doubts_of(request.account.pk, purchase_id=found.pk)
    return render(request, "billing/purchase.html", context)


@require_safe
@requires(Permission.VIEW_BILLING)
def purchase_status(request: AccountRequest, public_id: str) -> HttpResponse:
    """Return where a purchase stands, as the fragment that asks again by itself."""
    found = _purchase(request.account, public_id)
    context = _status_context(request, found, at=now())
    return render(request, "billing/_purchase_status.html", context)


def _buy(request: AccountRequest, form: BuyBlocksForm, offer: BlockOffer) -> Purchase:
    return purchasing.buy_blocks(
        account=request.account,
        buyer=request.user,
        offer=offer,
        blocks=form.cleaned_data["blocks"],
        form_key=form.cleaned_data["form_key"],
        at=now(),
    )


def _purchase(account: Account, public_id: str) -> Purchase:
    ours = account.purchases.select_related("offer", "buyer")
    return get_object_or_404(ours, public_id=public_id)


def _status_context(
    request: AccountRequest, found: Purchase, *, at: datetime
) -> dict[str, object]:
    return {"receipt": receipts.receipt_of(found, at=at), **polling(request)}


def _add_ons(
    request: AccountRequest,
    form: BlocksForm,
    offer: BlockOffer,
    *,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    at, role = now(), request.membership.role
    subscription = subscribing.live_subscription(request.account.pk)
    context = {
        "add_ons": add_ons_of(form, offer, at=at),
        "form": form,
        "why_not": purchasing.why_not(subscription, at=at),
        "plan_ends_at": subscribing.plan_end(subscription) if subscription else None,
        "may_buy": may(role, Permission.BUY_CREDITS),
        "buyers": who_may(Permission.BUY_CREDITS),
        "is_canceled": "canceled" in request.GET,
        "problem": problem,
        # Trying again after silence goes on with the same purchase.
        "form_key": form.data["form_key"] if status == 503 else uuid4().hex,
    }
    return render(request, "billing/add_ons.html", context, status=status)


def _price_changed() -> str:
    return _("The price has changed since this page was opened. Check the new total.")


def _stripe_is_silent() -> str:
    return _(
        "Stripe cannot be reached right now. No money has moved. "
        "Try again in a moment: you will not be charged twice."
    )
