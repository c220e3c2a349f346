"""The audit trail: what was done, by whom, from where. Rows are never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from allauth.account.adapter import get_adapter
from allauth.core import context

from accounts.models import AuditEvent, ServiceKey, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.http import HttpRequest

    from accounts.models import Account


def record(
    *,
    action: str,
    actor: User | ServiceKey | str,
    at: datetime,
    account: Account | None = None,
    target: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    request: HttpRequest | None = None,
) -> AuditEvent:
    """Write down what was done; call it in the transaction that does it.

    `action` is "thing.done" ("key.revoked"); `target` names the thing for people.
    Without `request`, the one being answered, if any, gives the IP address.
    """
    return AuditEvent.objects.create(
        occurred_at=at,
        action=action,
        actor=_name_of(actor),
        actor_id=actor.pk if isinstance(actor, User) else None,
        account_id=account.pk if account else None,
        target=target[:200],
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        ip_address=_address_of(request or context.request),
    )


def record_denial(
    request: HttpRequest,
    permission: str,
    *,
    actor: User,
    at: datetime,
    account: Account | None = None,
) -> AuditEvent:
    """Write down that somebody was kept from an address for want of a permission."""
    return record(
        action="access.denied",
        actor=actor,
        account=account,
        target=f"{request.method} {request.path}",
        after={"permission": permission},
        at=at,
        request=request,
    )


def _name_of(actor: User | ServiceKey | str) -> str:
    match actor:
        case User():
            return actor.email[:200]
        case ServiceKey():
            return f"API key {actor}"
        case _:
            return actor


def _address_of(request: HttpRequest | None) -> str | None:
    # The adapter trusts as many proxies as TRUSTED_PROXY_COUNT says, and no more.
    return get_adapter(request).get_client_ip(request) if request else None
