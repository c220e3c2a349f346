"""Invitations as the invited see them: the page behind the link, and joining."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, inviting
from accounts.http import see_other
from accounts.team import AccountsError
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Invitation, User


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show what an invitation offers; accept it for the user it is meant for."""
    found = inviting.find(token)
    if found is None:
        raise Http404
    try:
        inviting.check_open(found, at=now())
        if request.method == "POST" and request.user.is_authenticated:
            return _accept(request, found)
    except inviting.InvitationClosed as closed:
        context = {"invitation": found, "reason": str(closed)}
        return render(request, "accounts/invitation_closed.html", context, status=410)
    except AccountsError as refused:
        messages.error(request, str(refused))
    access.keep_invitation(request, found)
    return render(request, "accounts/invitation.html", _offer(request, found))


@login_required
@require_POST
def join(request: HttpRequest) -> HttpResponse:
    """Join an account that has invited one of the user's verified addresses."""
    wanted = request.POST.get("invitation")
    for waiting in inviting.waiting_for(cast("User", request.user), at=now()):
        if str(waiting.pk) == wanted:
            return _accept(request, waiting)
    raise Http404


def _accept(request: HttpRequest, found: Invitation) -> HttpResponse:
    user = cast("User", request.user)
    inviting.accept(invitation=found, user=user, at=now())
    access.use_account(request, found.account)
    welcome = _("You are now in the team of %(account)s.")
    messages.success(request, welcome % {"account": found.account.name})
    return see_other(settings.LOGIN_REDIRECT_URL)


def _offer(request: HttpRequest, found: Invitation) -> dict[str, object]:
    user = request.user
    return {
        "invitation": found,
        "is_for_me": user.is_authenticated and inviting.is_for(found, user),
    }
