"""Settings: of the person, of the account, and the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings as project
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import preferences
from accounts.access import account_page, requires
from accounts.context import THEME_COOKIE, THEMES
from accounts.forms import AccountForm, ProfileForm, time_zones
from accounts.http import next_url, see_other
from accounts.roles import Permission, may, who_may
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.http import AccountRequest

_YEAR_S = 365 * 24 * 3600


@require_safe
@account_page
def settings(request: AccountRequest) -> HttpResponse:
    """Show what can be set, and who may set the rest."""
    return _page(request)


@require_POST
@account_page
def save_profile(request: AccountRequest) -> HttpResponse:
    """Save the user's name and time zone."""
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _page(request, profile=form)
    preferences.change_profile(user=request.user, **form.cleaned_data, at=now())
    messages.success(request, _("Your profile is saved."))
    return see_other("accounts:settings")


@require_POST
@requires(Permission.MANAGE_SETTINGS)
def save_account(request: AccountRequest) -> HttpResponse:
    """Save the account's name, billing e-mail, country and time zone."""
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _page(request, organization=form)
    preferences.change_account(
        account=request.account, **form.cleaned_data, by=request.user, at=now()
    )
    messages.success(request, _("The account is saved."))
    return see_other("accounts:settings")


@require_safe
@account_page
def zone_today(request: AccountRequest) -> HttpResponse:
    """Say when today began in a zone that somebody thinks of choosing."""
    zone = request.GET.get("time_zone", "")
    if zone not in dict(time_zones()):
        return HttpResponseBadRequest()
    context = {"today": preferences.today_in(zone, at=now())}
    return render(request, "accounts/_zone_today.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice of colors in a cookie, for visitors too."""
    choice = request.POST.get("theme", "")
    if choice not in THEMES:
        return HttpResponseBadRequest()
    back = next_url(request, default=project.LOGIN_REDIRECT_URL)
    response = HttpResponseRedirect(back, status=303)
    response.set_cookie(
        THEME_COOKIE,
        choice,
        max_age=_YEAR_S,
        secure=project.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _page(
    request: AccountRequest,
    *,
    profile: ProfileForm | None = None,
    organization: AccountForm | None = None,
) -> HttpResponse:
    user, account = request.user, request.account
    context = {
        "profile": profile
        or ProfileForm(initial={"name": user.name, "time_zone": user.time_zone}),
        "organization": organization
        or AccountForm(
            initial={
                "name": account.name,
                "billing_email": account.billing_email,
                "country": account.country,
                "time_zone": account.time_zone,
            }
        ),
        "today": preferences.today_in(account.time_zone, at=now()),
        "may_manage": may(request.membership.role, Permission.MANAGE_SETTINGS),
        "managers": who_may(Permission.MANAGE_SETTINGS),
    }
    status = 422 if profile or organization else 200
    return render(request, "accounts/settings.html", context, status=status)
