"""What an account is told of its auto-reload: each e-mail is written with its fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts import notifying
from accounts.models import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from accounts.models import Account, User
    from billing.core.periods import Span
    from billing.core.reload_policy import Month
    from billing.models import AutoReload, Reload

ALL_OF_IT = 100


def tell_decline(reload: Reload, auto: AutoReload, *, at: datetime) -> None:
    """Tell that the bank refused the card, and whether it is tried again (R51)."""
    what = {**_what(reload), "is_suspended": auto.suspended_at is not None}
    key = f"reload:{reload.pk}:decline:{reload.declines}"
    _tell("reload_failed", key, reload.account, what, at)


def tell_action(reload: Reload, *, at: datetime) -> None:
    """Tell that the bank wants to see the customer, where, and until when (R52)."""
    page = reverse("billing:confirm_reload", args=[reload.purchase.public_id])
    what = {**_what(reload), "confirm_url": settings.BASE_URL + page}
    key = f"reload:{reload.pk}:action:{reload.attempt}"
    _tell("reload_action", key, reload.account, what, at)


def tell_expired(reload: Reload, *, at: datetime) -> None:
    """Tell that nobody confirmed a payment in time, and what auto-reload waits for."""
    key = f"reload:{reload.pk}:expired"
    _tell("reload_not_confirmed", key, reload.account, _what(reload), at)


def tell_cap(
    auto: AutoReload, *, percent: int, month: Span, so_far: Month, at: datetime
) -> None:
    """Tell that so much of a month's cap is used up; each part once a month (R50)."""
    what = {
        "auto": auto,
        "percent": percent,
        "month_cents": so_far.cents,
        "month_count": so_far.count,
        "month_ends_at": month.ends_at,
    }
    key = f"reload_cap:{auto.account_id}:{month.starts_at:%Y-%m-%d}:{percent}"
    _tell("reload_cap", key, auto.account, what, at)


def tell_change(auto: AutoReload, *, by: User | str, at: datetime) -> None:
    """Tell the owners that somebody changed the settings, and what they are (R56)."""
    owners = auto.account.memberships.filter(role=Role.OWNER, user__is_active=True)
    notifying.notify(
        kind="reload_changed",
        key=f"auto_reload:{auto.pk}:{auto.version}",
        recipients=owners.order_by("pk").values_list("user__email", flat=True),
        context={
            "auto": auto,
            "by": by if isinstance(by, str) else by.display_name,
            **_frame(auto.account),
        },
        account=auto.account,
        at=at,
    )


def _what(reload: Reload) -> dict[str, Any]:
    purchase = reload.purchase
    return {
        "reload": reload,
        "purchase": purchase,
        "credits": purchase.blocks_asked * purchase.offer.credits,
        "cents": purchase.blocks_asked * purchase.offer.cents,
    }


def _frame(account: Account) -> dict[str, Any]:
    page = settings.BASE_URL + reverse("billing:reload")
    return {
        "reload_url": page,
        "time_zone": account.time_zone,
        "currency": settings.CURRENCY,
    }


def _tell(
    kind: str, key: str, account: Account, what: Mapping[str, Any], at: datetime
) -> None:
    recipients: Iterable[str] = notifying.billing_recipients(account)
    notifying.notify(
        kind=kind,
        key=key,
        recipients=recipients,
        context={**what, **_frame(account)},
        account=account,
        at=at,
    )
