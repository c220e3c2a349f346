"""Requests of signed-in members, and the answers that views share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from accounts.models import Account, Membership, User


class AccountRequest(HttpRequest):
    """A request that `account_page` let through: somebody, in one account."""

    user: User
    account: Account
    membership: Membership


class StaffRequest(HttpRequest):
    """A request that `staff_page` let through: somebody of the operator's own."""

    user: User


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment, not a browser for a page."""
    return request.headers.get("HX-Request") == "true"


def see_other(to: str, *args: object, **kwargs: object) -> HttpResponseRedirect:
    """Redirect after a write to a page (URL name or address), to be read by GET."""
    return HttpResponseRedirect(resolve_url(to, *args, **kwargs), status=303)


def next_url(request: HttpRequest, *, default: str) -> str:
    """Return the posted `next` when it is an address of this portal."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours else resolve_url(default)
