"""API keys: list, create, show once, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import keys
from accounts.access import requires
from accounts.forms import CreateKeyForm, RevokeKeyForm
from accounts.http import see_other
from accounts.roles import Permission
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from accounts.models import ServiceKey

_SENT_FORM = "sent_key_form"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as the list shows it."""

    public_id: str
    name: str
    masked: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_live: bool
    state: str


@require_safe
@requires(Permission.MANAGE_KEYS)
def key_list(request: AccountRequest) -> HttpResponse:
    """List the account's keys, newest first."""
    at = now()
    found = request.account.service_keys.select_related("created_by").order_by("-pk")
    rows = [_row(key, at=at) for key in found]
    return render(request, "accounts/keys.html", {"keys": rows})


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_KEYS)
def create_key(request: AccountRequest) -> HttpResponse:
    """Create a key and show its secret, this once."""
    form = CreateKeyForm(request.POST or None)
    if not form.is_valid():
        status = 422 if form.errors else 200
        return render(
            request, "accounts/create_key.html", {"form": form}, status=status
        )
    form_key = form.cleaned_data["form_key"]
    if form_key and request.session.get(_SENT_FORM) == form_key:
        messages.info(request, _("This key is made. It was shown once."))
        return see_other("accounts:keys")
    at = now()
    issued = keys.issue(
        account=request.account,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=form.expires_at(at=at),
        by=request.user,
        at=at,
    )
    request.session[_SENT_FORM] = form_key
    return render(request, "accounts/key_created.html", {"issued": issued})


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_KEYS)
def revoke_key(request: AccountRequest, public_id: str) -> HttpResponse:
    """Revoke a key when its name is typed."""
    key = get_object_or_404(request.account.service_keys, public_id=public_id)
    form = RevokeKeyForm(request.POST or None, expected=key.name)
    if not form.is_valid():
        context = {"form": form, "key": key}
        status = 422 if form.errors else 200
        return render(request, "accounts/revoke_key.html", context, status=status)
    keys.revoke(key=key, by=request.user, at=now())
    messages.success(request, _("%(name)s is revoked.") % {"name": key.name})
    return see_other("accounts:keys")


def _row(key: ServiceKey, *, at: datetime) -> KeyRow:
    return KeyRow(
        public_id=key.public_id,
        name=key.name,
        masked=key.masked,
        scopes=key.scopes,
        created_by=key.created_by.display_name if key.created_by else "",
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        is_live=key.is_live(at=at),
        state=_state(key, at=at),
    )


def _state(key: ServiceKey, *, at: datetime) -> str:
    if key.revoked_at:
        return _("Revoked")
    return _("Active") if key.is_live(at=at) else _("Expired")
