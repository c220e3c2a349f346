"""The alerts page, and the page on which an e-mail's reader unsubscribes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
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
from config.clock import now
from credits import alerting, alerts, statements
from credits.forms import AlertForm
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.http import AccountRequest

_ROWS = 20


@require_safe
@requires(Permission.VIEW_CREDITS)
def alert_page(request: AccountRequest) -> HttpResponse:
    """Show of what the account is warned, who is told, and what was said lately."""
    return _page(request)


@require_POST
@requires(Permission.MANAGE_SETTINGS)
def save_alerts(request: AccountRequest) -> HttpResponse:
    """Save the thresholds, the days before an expiry, and the addresses."""
    form = AlertForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    wallet = _wallet(request)
    alerts.change(wallet=wallet, **form.cleaned_data, by=request.user, at=now())
    messages.success(request, _("The alerts are saved."))
    return see_other("credits:alerts")


@require_POST
@requires(Permission.MANAGE_SETTINGS)
def test_alert(request: AccountRequest) -> HttpResponse:
    """Send the one who asks an e-mail like an alert."""
    alerting.send_test(wallet=_wallet(request), to=request.user, at=now())
    sent = _("A test is on its way to %(email)s.") % {"email": request.user.email}
    messages.success(request, sent)
    return see_other("credits:alerts")


@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether an address wants no more alerts, or wants them again; then do it.

    Whoever has the e-mail may: nobody signs in to unsubscribe.
    """
    try:
        wallet, email = alerts.read_token(token)
    except alerts.LinkNotFound as unknown:
        raise Http404 from unknown
    if request.method == "POST":
        again = "again" in request.POST
        change = alerts.subscribe_again if again else alerts.unsubscribe
        change(wallet=wallet, email=email, at=now())
        return see_other("credits:unsubscribe", token)
    context = {
        "account_name": wallet.account.name,
        "email": email,
        "is_unsubscribed": alerts.is_unsubscribed(wallet, email),
    }
    return render(request, "credits/unsubscribe.html", context)


def _page(request: AccountRequest, form: AlertForm | None = None) -> HttpResponse:
    wallet = _wallet(request)
    settings = alerts.settings_of(wallet)
    context = {
        "form": form or AlertForm(initial=AlertForm.initial_of(settings)),
        "settings": settings,
        "recipients": alerts.recipients_of(settings),
        "raised": alerts.raised_lately(wallet.pk, limit=_ROWS),
        "balance": statements.balance_of(wallet.pk, at=now()),
        "time_zone": request.account.time_zone,
        "may_manage": may(request.membership.role, Permission.MANAGE_SETTINGS),
        "managers": who_may(Permission.MANAGE_SETTINGS),
    }
    status = 422 if form else 200
    return render(request, "credits/alerts.html", context, status=status)


def _wallet(request: AccountRequest) -> Wallet:
    wallets = Wallet.objects.select_related("account")
    return get_object_or_404(wallets, account=request.account, unit=WalletUnit.CREDITS)
