"""Who may open a page: decorators that set the account, or refuse and say why."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render

from accounts import auditing
from accounts.models import Invitation, Membership
from accounts.roles import Permission, may, who_may
from config.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.http import AccountRequest
    from accounts.models import Account, User

P = ParamSpec("P")
_ACCOUNT_IN_USE = "account"
_INVITATION_IN_HAND = "invitation"
_CACHE = "_memberships"


def account_page(
    view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let members of an account in, with `request.account` and `.membership` set.

    Nobody signed in goes to the sign-in page; a user without an account goes to
    the page that makes one, and staff without one to their console.
    """

    @login_required
    @wraps(view)
    def in_account(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        membership = membership_in_use(request)
        if membership is None:
            user = cast("User", request.user)
            home = "staff_home" if user.is_staff else "new_account"
            return redirect(f"accounts:{home}")
        member_request = cast("AccountRequest", request)
        member_request.membership = membership
        member_request.account = membership.account
        return view(member_request, *args, **kwargs)

    return in_account


def requires(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[AccountRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let in members whose role includes the permission; tell others who may."""

    def decorate(
        view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @account_page
        @wraps(view)
        def permitted(
            request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if not may(request.membership.role, permission):
                return _refuse(request, permission)
            return view(request, *args, **kwargs)

        # The generated permission test reads this off the URLconf.
        permitted.permission = permission  # type: ignore[attr-defined]
        return permitted

    return decorate


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Return the user's memberships with their accounts, read once a request."""
    memberships: list[Membership] | None = getattr(request, _CACHE, None)
    if memberships is None:
        memberships = list(
            Membership.objects.filter(user=cast("User", request.user))
            .select_related("account")
            .order_by("pk")
        )
        setattr(request, _CACHE, memberships)
    return memberships


def membership_in_use(request: HttpRequest) -> Membership | None:
    """Return the membership the user works in: the one chosen, else the first."""
    memberships = memberships_of(request)
    chosen = request.session.get(_ACCOUNT_IN_USE)
    first = memberships[0] if memberships else None
    return next((m for m in memberships if m.account.public_id == chosen), first)


def use_account(request: HttpRequest, account: Account) -> None:
    """Make an account the one that the user works in from now on."""
    request.session[_ACCOUNT_IN_USE] = account.public_id


def keep_invitation(request: HttpRequest, invitation: Invitation) -> None:
    """Remember, through signing up or in, which invitation somebody came with."""
    request.session[_INVITATION_IN_HAND] = invitation.pk


def invitation_in_hand(request: HttpRequest, *, at: datetime) -> Invitation | None:
    """Return the invitation that somebody came with, while it can be accepted."""
    kept = request.session.get(_INVITATION_IN_HAND)
    if kept is None:
        return None
    invitation = Invitation.objects.select_related("account").filter(pk=kept).first()
    return invitation if invitation and invitation.is_open(at=at) else None


def _refuse(request: AccountRequest, permission: Permission) -> HttpResponse:
    auditing.record_denial(
        request, permission, actor=request.user, account=request.account, at=now()
    )
    context = {
        "permission": permission.label,
        "roles": who_may(permission),
        "role": request.membership.get_role_display(),
    }
    return render(request, "accounts/not_allowed.html", context, status=403)
