"""Member caps: how much of it each member uses, and the forms that set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may, who_may
from config.clock import now
from credits import member_caps
from credits.forms import CapForm
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from accounts.models import Membership


@require_safe
@requires(Permission.VIEW_CREDITS)
def member_cap_list(request: AccountRequest) -> HttpResponse:
    """Show the caps to every member; managers also get the links that change them."""
    members = _members(request).order_by("pk")
    context = {
        "caps": member_caps.caps_of(_wallet(request), members=members, at=now()),
        "may_manage": may(request.membership.role, Permission.MANAGE_TEAM),
        "managers": who_may(Permission.MANAGE_TEAM),
    }
    return render(request, "credits/member_caps.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_TEAM)
def set_member_cap(request: AccountRequest, membership_id: int) -> HttpResponse:
    """Ask for the cap on one member, and set or remove it."""
    return _set_cap(request, get_object_or_404(_members(request), pk=membership_id))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_TEAM)
def set_each_cap(request: AccountRequest) -> HttpResponse:
    """Ask for the cap that holds for each member, and set or remove it."""
    return _set_cap(request, None)


def _set_cap(request: AccountRequest, member: Membership | None) -> HttpResponse:
    wallet, at = _wallet(request), now()
    caps = member_caps.caps_of(wallet, members=[member] if member else [], at=at)
    [view] = caps.members or [None]
    current = view.own_cap if view else caps.each_cap
    form = CapForm(request.POST or None, initial={"credits": current})
    removes = "remove" in request.POST
    if not removes and not form.is_valid():
        context = {"form": form, "member": view, "caps": caps, "current": current}
        status = 422 if form.errors else 200
        return render(request, "credits/set_cap.html", context, status=status)
    credits = None if removes else form.cleaned_data["credits"]
    by = request.membership
    member_caps.set_cap(wallet, member=member, credits=credits, by=by, at=at)
    done = _("The cap is removed.") if removes else _("The cap is set.")
    messages.success(request, done)
    return see_other("credits:member_caps")


def _wallet(request: AccountRequest) -> Wallet:
    return get_object_or_404(Wallet, account=request.account, unit=WalletUnit.CREDITS)


def _members(request: AccountRequest) -> QuerySet[Membership]:
    return request.account.memberships.select_related("user")
