"""Addresses of the product's backend: added, rolled, switched, removed. All audited."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing, notifying
from billing.models import Delivery, WebhookEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from accounts.models import User

# How long a receiver has to learn the new secret.
OVERLAP = timedelta(hours=24)
_OPERATOR = "operator"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class AddressRefused(ValueError):
    """Nothing is sent to such an address; the message says why."""


class RollsAlready(ValueError):
    """The old secret still signs; the message says so."""


def require_safe(url: str) -> None:
    """Refuse an address that could reach what expects no webhook.

    A TLS handshake under its own name keeps it away from services inside that are not
    the product's backend. Only in development may it be this machine without TLS.

    Raises:
        AddressRefused: it is such an address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError as unreadable:
        raise AddressRefused(
            _("This is no address: type one like https://host/path.")
        ) from unreadable
    if not host or parts.username or parts.fragment:
        raise AddressRefused(_("Give a plain address, such as https://host/path."))
    is_here = host in _LOOPBACK and not settings.IS_PRODUCTION
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise AddressRefused(_("The address has to begin with https://."))
    if _is_link_local(host):
        raise AddressRefused(_("Nothing is sent to link-local addresses."))


@transaction.atomic
def add(
    *, url: str, kinds: Iterable[str], by: User | None, at: datetime
) -> WebhookEndpoint:
    """Let an address be told of some kinds of things, from now on.

    Raises:
        AddressRefused: it is unsafe, or it is told already.
    """
    require_safe(url)
    if WebhookEndpoint.objects.filter(url=url, removed_at=None).exists():
        raise AddressRefused(_("This address is told already: it is in the list."))
    endpoint = WebhookEndpoint.objects.create(
        url=url, kinds=sorted(kinds), created_by=by, created_at=at
    )
    _record("added", endpoint, by, at, after={"kinds": endpoint.kinds})
    return endpoint


@transaction.atomic
def roll(endpoint: WebhookEndpoint, *, by: User, at: datetime) -> None:
    """Give an endpoint a new secret; the old one signs beside it for a day.

    Raises:
        RollsAlready: the day is not over: a third secret would end the one in use.
    """
    locked = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if locked.old_secret_until and at < locked.old_secret_until:
        raise RollsAlready(_("Its secret was changed less than a day ago."))
    locked.secret_number += 1
    locked.old_secret_until = at + OVERLAP
    locked.save(update_fields=["secret_number", "old_secret_until"])
    endpoint.refresh_from_db()
    _record("rolled", endpoint, by, at, after={"secret": endpoint.secret_number})


@transaction.atomic
def enable(endpoint: WebhookEndpoint, *, by: User, at: datetime) -> None:
    """Send there again, also what waited meanwhile."""
    disabled = WebhookEndpoint.objects.filter(
        pk=endpoint.pk, disabled_at__isnull=False, removed_at=None
    )
    if disabled.update(disabled_at=None, disabled_reason="", failing_since=None):
        _record("enabled", endpoint, by, at, after={"is_on": True})


@transaction.atomic
def disable(
    endpoint: WebhookEndpoint, *, reason: str, by: User | None, at: datetime
) -> None:
    """Send nothing there until it is enabled; what happens meanwhile waits.

    Whoever added it and the operator's address are told when nobody did it (`by`).
    """
    enabled = WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None)
    if not enabled.update(disabled_at=at, disabled_reason=reason[:200]):
        return
    _record("disabled", endpoint, by, at, reason=reason)
    if by is None:
        creator = endpoint.created_by.email if endpoint.created_by else ""
        notifying.notify(
            kind="webhook_disabled",
            key=f"webhook_disabled:{endpoint.pk}:{at.isoformat()}",
            recipients={creator, settings.SUPPORT_EMAIL} - {""},
            context={"endpoint": endpoint, "reason": reason},
            at=at,
        )


@transaction.atomic
def remove(endpoint: WebhookEndpoint, *, by: User, at: datetime) -> None:
    """Never send there again; what was sent stays in the log."""
    present = WebhookEndpoint.objects.filter(pk=endpoint.pk, removed_at=None)
    if present.update(removed_at=at):
        Delivery.objects.filter(endpoint=endpoint).update(next_attempt_at=None)
        _record("removed", endpoint, by, at, after={"is_removed": True})


def disabled(_at: datetime) -> int:
    """Return how many addresses somebody has to look after."""
    present = WebhookEndpoint.objects.filter(removed_at=None)
    return present.filter(disabled_at__isnull=False).count()


def _is_link_local(host: str) -> bool:
    try:
        return ip_address(host).is_link_local
    except ValueError:
        return False


def _record(
    done: str,
    endpoint: WebhookEndpoint,
    by: User | None,
    at: datetime,
    *,
    reason: str = "",
    after: Mapping[str, object] | None = None,
) -> None:
    auditing.record(
        action=f"webhook_endpoint.{done}",
        actor=by or _OPERATOR,
        target=endpoint.url,
        after=after,
        reason=reason,
        at=at,
    )
