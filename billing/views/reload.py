"""Auto-reload: set, reviewed, agreed to, stopped, and confirmed with the bank."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may, who_may
from billing import stripe_gateway
from billing.models import Customer, Reload, ReloadTrigger
from billing.plans import catalogue, subscribing
from billing.purchases import purchasing
from billing.reloads import charging, confirming, reloading
from billing.reloads import settings as reload_settings
from billing.reloads.forms import AgreeForm, ReloadForm
from billing.reloads.page import CONSENT_VERSION, reload_page, review
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse, QueryDict

    from accounts.http import AccountRequest
    from accounts.models import Account
    from billing.models import AutoReload
    from billing.stripe_gateway import SavedCard


@require_safe
@requires(Permission.VIEW_BILLING)
def reload(request: AccountRequest) -> HttpResponse:
    """Show how auto-reload is set, what it may still charge, and what it did."""
    return _page(request, at=now())


@require_safe
@requires(Permission.BUY_CREDITS)
def review_reload(request: AccountRequest) -> HttpResponse:
    """Show what settings would mean, before anybody agrees to them."""
    at = now()
    form = _form(request, request.GET, at=at)
    if not form.is_valid():
        return _page(request, form, at=at)
    return _review(request, form, at=at)


@require_POST
@requires(Permission.BUY_CREDITS)
def save_reload(request: AccountRequest) -> HttpResponse:
    """Turn auto-reload on as agreed to; what is short by now is charged at once."""
    at = now()
    form, agreed = _form(request, request.POST, at=at), AgreeForm(request.POST)
    if not form.is_valid():
        return _page(request, form, at=at)
    if not agreed.is_valid():
        return _review(request, form, agreed, at=at)
    try:
        _save(request, form, agreed.cleaned_data["version"], at=at)
    except reload_settings.SettingsMoved as moved:
        messages.error(request, str(moved))
        return see_other("billing:reload")
    _charge_what_is_short(request.account, at=at)
    messages.success(request, _("Auto-reload is on."))
    return see_other("billing:reload")


@require_POST
@requires(Permission.BUY_CREDITS)
def stop_reload(request: AccountRequest) -> HttpResponse:
    """Turn auto-reload off: one click, no question."""
    if reload_settings.turn_off(request.account, by=request.user, at=now()):
        messages.success(request, _("Auto-reload is off."))
    return see_other("billing:reload")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.BUY_CREDITS)
def confirm_reload(request: AccountRequest, public_id: str) -> HttpResponse:
    """Lead to the page on which the bank lets the customer confirm a payment."""
    at = now()
    found = get_object_or_404(
        Reload.objects.select_related("purchase__offer", "purchase__account"),
        account=request.account,
        purchase__public_id=public_id,
    )
    problem = ""
    if request.method == "POST":
        try:
            return see_other(confirming.open_page(found, at=at))
        except stripe_gateway.BillingError as refusal:
            problem = _problem_of(refusal)
            found.refresh_from_db()
    context = {
        "reload": found,
        "credits": found.purchase.blocks_asked * found.purchase.offer.credits,
        "cents": found.purchase.blocks_asked * found.purchase.offer.cents,
        "can_be_confirmed": confirming.can_be_confirmed(found, at=at),
        "problem": problem,
    }
    status = 503 if problem else 200
    return render(request, "billing/confirm_reload.html", context, status=status)


def _save(
    request: AccountRequest, form: ReloadForm, version: int, *, at: datetime
) -> AutoReload:
    shown = review(request.account, form.limits, form.chosen_card, at=at)
    wanted = reload_settings.Wanted(
        limits=form.limits,
        card=form.chosen_card,
        version=version,
        text=shown.text,
        text_version=CONSENT_VERSION,
        address=request.META.get("REMOTE_ADDR"),
    )
    return reload_settings.save(wanted, account=request.account, by=request.user, at=at)


def _charge_what_is_short(account: Account, *, at: datetime) -> None:
    # R46: announced on the page before. If Stripe is silent, the sweeper goes on.
    considered = reloading.consider(
        account_id=account.pk, trigger=ReloadTrigger.SETTINGS, at=at
    )
    if considered and considered.reload_id:
        with suppress(stripe_gateway.StripeUnavailable):
            charging.charge(reload_id=considered.reload_id, at=at)


def _form(request: AccountRequest, sent: QueryDict, *, at: datetime) -> ReloadForm:
    return ReloadForm(
        sent, offer=catalogue.blocks_in_force(at=at), cards=_cards(request.account)
    )


def _cards(account: Account) -> list[SavedCard]:
    """Return the cards to choose from; none when Stripe is silent."""
    customer = Customer.objects.filter(account=account).first()
    if customer is None:
        return []
    with suppress(stripe_gateway.StripeUnavailable):
        return stripe_gateway.saved_cards(customer.stripe_customer_id)
    return []


def _page(
    request: AccountRequest, form: ReloadForm | None = None, *, at: datetime
) -> HttpResponse:
    page = reload_page(request.account, at=at)
    offer, cards = catalogue.blocks_in_force(at=at), _cards(request.account)
    initial = ReloadForm.initial_of(page.auto)
    if cards:
        initial.setdefault("card", cards[0].id)
    subscription = subscribing.live_subscription(request.account.pk)
    context = {
        "page": page,
        "form": form or ReloadForm(offer=offer, cards=cards, initial=initial),
        "has_cards": bool(cards),
        "why_not": purchasing.why_not(subscription, at=at),
        "may_buy": may(request.membership.role, Permission.BUY_CREDITS),
        "buyers": who_may(Permission.BUY_CREDITS),
    }
    status = 422 if form else 200
    return render(request, "billing/reload.html", context, status=status)


def _review(
    request: AccountRequest,
    form: ReloadForm,
    agreed: AgreeForm | None = None,
    *,
    at: datetime,
) -> HttpResponse:
    version = reload_page(request.account, at=at).version
    context = {
        "review": review(request.account, form.limits, form.chosen_card, at=at),
        "form": form,
        "agree": agreed or AgreeForm(initial={"version": version}),
    }
    status = 422 if agreed else 200
    return render(request, "billing/review_reload.html", context, status=status)


def _problem_of(refusal: stripe_gateway.BillingError) -> str:
    if isinstance(refusal, stripe_gateway.StripeUnavailable):
        return _("Stripe cannot be reached right now. Nothing was charged. Try again.")
    return str(refusal)
