"""Who of the staff may open a page, and how surely they must have proved who they are.

To customers the console does not exist (404). Staff without a permission are told who
has it. Either way what was tried is written down.
"""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render

from accounts import auditing
from accounts.roles import StaffPermission, staff_may, which_staff_may
from config.clock import now, real_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.http import StaffRequest
    from accounts.models import User

P = ParamSpec("P")
# How long a second factor counts for what moves money.
STEP_UP = timedelta(minutes=10)
_CACHE = "_staff_permissions"


def staff_page(
    permission: StaffPermission, *, fresh: bool = False
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let in staff whose groups include the permission.

    With `fresh` they must have given their second factor in the last ten minutes; what
    they sent is done once they have.
    """

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @login_required
        @wraps(view)
        def permitted(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            staff_request = cast("StaffRequest", request)
            if refusal := _refusal(staff_request, permission, fresh=fresh):
                return refusal
            return view(staff_request, *args, **kwargs)

        # The generated permission test reads these off the URLconf.
        permitted.permission = permission  # type: ignore[attr-defined]
        permitted.is_fresh = fresh  # type: ignore[attr-defined]
        return permitted

    return decorate


def permissions_of(user: User | AnonymousUser) -> frozenset[StaffPermission]:
    """Return what somebody may do as staff, read once; a superuser may do everything.

    Only those who are marked as staff cost a query: every page of customers asks.
    """
    if not user.is_staff:
        return frozenset()
    if user.is_superuser:
        return frozenset(StaffPermission)
    permissions: frozenset[StaffPermission] | None = getattr(user, _CACHE, None)
    if permissions is None:
        groups = list(user.groups.values_list("name", flat=True))
        permissions = frozenset(
            one for one in StaffPermission if staff_may(groups, one)
        )
        setattr(user, _CACHE, permissions)
    return permissions


def needs_second_factor(user: User) -> bool:
    """Whether somebody has still to set up what money actions ask for."""
    return settings.STAFF_STEP_UP and not is_mfa_enabled(user)


def _refusal(
    request: StaffRequest, permission: StaffPermission, *, fresh: bool
) -> HttpResponse | None:
    """Return the page of why not; what is missing may be a second factor.

    Raises:
        Http404: for customers there is nothing here.
        ReauthenticationRequired: allauth asks for the second factor, and goes on.
    """
    if not request.user.is_staff:
        _note_denial(request, permission)
        raise Http404
    if permission not in permissions_of(request.user):
        _note_denial(request, permission)
        context = {"permission": permission, "groups": which_staff_may(permission)}
        return render(request, "staff/not_allowed.html", context, status=403)
    if not fresh or not settings.STAFF_STEP_UP:
        return None
    if needs_second_factor(request.user):
        _note_denial(request, permission)
        return render(request, "staff/second_factor.html", status=403)
    if not _is_fresh(request):
        raise ReauthenticationRequired
    return None


def _is_fresh(request: StaffRequest) -> bool:
    # Sign-in sessions keep real time while the portal's clock is moved.
    since = (real_now() - STEP_UP).timestamp()
    return any(
        record["method"] == "mfa" and record["at"] > since
        for record in get_authentication_records(request, request.user)
    )


def _note_denial(request: StaffRequest, permission: StaffPermission) -> None:
    auditing.record_denial(request, permission, actor=request.user, at=now())
