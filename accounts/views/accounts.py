"""Which account a user works in: open one, switch to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, inviting, team
from accounts.forms import NewAccountForm
from accounts.http import see_other
from accounts.models import Account
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import User


@login_required
@require_http_methods(["GET", "POST"])
def new_account(request: HttpRequest) -> HttpResponse:
    """Offer the accounts that wait for the user, and to open one."""
    user, at = cast("User", request.user), now()
    form = NewAccountForm(request.POST or None)
    if form.is_valid():
        account = team.open_account(**form.cleaned_data, owner=user, at=at)
        access.use_account(request, account)
        return see_other(settings.LOGIN_REDIRECT_URL)
    context = {
        "form": form,
        "invitations": inviting.waiting_for(user, at=at),
        "has_account": bool(access.memberships_of(request)),
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/new_account.html", context, status=status)


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Work in another of the user's accounts."""
    mine = Account.objects.filter(memberships__user=cast("User", request.user))
    account = get_object_or_404(mine, public_id=request.POST.get("public_id", ""))
    access.use_account(request, account)
    return see_other(settings.LOGIN_REDIRECT_URL)
