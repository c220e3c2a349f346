"""What becomes of auto-reload when a payment succeeds or fails for good.

Lock order: purchase → auto-reload → subscription → wallet. Whoever settles a purchase
or a reload takes the locks of this module first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import auditing
from billing.models import IN_FLIGHT, AutoReload, Purchase, Reload, ReloadState

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Suspension


def locked(account_id: int) -> AutoReload | None:
    """Lock and return the account's auto-reload, if it ever had one."""
    return (
        AutoReload.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "consent__user")
        .filter(account_id=account_id)
        .first()
    )


def locked_reload(reload_id: int) -> tuple[Reload, AutoReload]:
    """Lock a reload with its purchase and its account's auto-reload, in that order.

    Raises:
        Reload.DoesNotExist: there is none of this id.
    """
    known = Reload.objects.get(pk=reload_id)
    Purchase.objects.select_for_update(no_key=True).get(pk=known.purchase_id)
    auto = locked(known.account_id)
    if auto is None:
        message = f"Account {known.account_id} has a reload and no auto-reload."
        raise AutoReload.DoesNotExist(message)
    reload = Reload.objects.select_related("purchase__offer", "purchase__buyer").get(
        pk=reload_id
    )
    return reload, auto


def note_payment(
    purchase: Purchase, *, card_fingerprint: str, is_on_session: bool, at: datetime
) -> None:
    """Close the reload that a purchase was for; a card that works again resumes.

    Call it under the locks, once for each payment.

    Source: docs/rules.md R51, R52.
    """
    Reload.objects.filter(purchase=purchase).exclude(state=ReloadState.PAID).update(
        state=ReloadState.PAID, ended_at=at, next_attempt_at=None
    )
    auto = locked(purchase.account_id)
    is_held_up = auto and auto.suspended_at and is_on_session
    if auto and is_held_up and card_fingerprint == auto.card_fingerprint:
        resume(auto, reason="The card was charged for a purchase.", at=at)


def note_no_payment(purchase: Purchase, *, at: datetime) -> None:
    """Close the reload whose checkout page ended unpaid; the sweeper says the rest."""
    Reload.objects.filter(purchase=purchase, state=ReloadState.NEEDS_ACTION).update(
        next_attempt_at=at
    )


def suspend(
    auto: AutoReload, why: Suspension, *, fingerprint: str, at: datetime
) -> None:
    """Stop charging until another card is chosen or this one succeeds (R51, R52)."""
    auto.suspension, auto.suspended_at = why, at
    auto.failed_fingerprint = fingerprint
    auto.save(update_fields=["suspension", "suspended_at", "failed_fingerprint"])
    auditing.record(
        action="auto_reload.suspended",
        actor="system",
        account=auto.account,
        reason=str(why.label),
        at=at,
    )


def resume(auto: AutoReload, *, reason: str, at: datetime) -> None:
    """Let a suspended auto-reload charge again."""
    auto.suspension, auto.suspended_at, auto.failed_fingerprint = "", None, ""
    auto.save(update_fields=["suspension", "suspended_at", "failed_fingerprint"])
    auditing.record(
        action="auto_reload.resumed",
        actor="system",
        account=auto.account,
        reason=reason,
        at=at,
    )


def in_flight(account_id: int) -> Reload | None:
    """Return the reload of an account that is under way."""
    return (
        Reload.objects.select_related("purchase__offer", "purchase__buyer", "account")
        .filter(account_id=account_id, state__in=IN_FLIGHT)
        .first()
    )
