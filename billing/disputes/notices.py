"""What customers and staff are told of disputes and fraud warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from accounts import notifying
from accounts.roles import StaffPermission
from billing.models import Dispute, DisputeEffect, FraudWarning

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from billing.payments import Payment

_KINDS = {
    DisputeEffect.NONE: "dispute_inquiry",
    DisputeEffect.FROZEN: "dispute_opened",
    DisputeEffect.RESTORED: "dispute_won",
    DisputeEffect.TAKEN: "dispute_lost",
}


def tell_dispute(dispute: Dispute, payment: Payment, *, at: datetime) -> None:
    """Tell owners what a dispute means for their credits, and staff what it needs."""
    kind = _KINDS[DisputeEffect(dispute.effect)]
    what = {"dispute": dispute, "payment": payment}
    _tell_account(kind, f"{dispute.key}:{kind}", dispute.account, what, at)
    desk = reverse("billing:staff_dispute", args=[dispute.pk])
    _tell_staff("staff_dispute", f"staff:{dispute.key}:{kind}", desk, what, at)


def tell_warning(warning: FraudWarning, payment: Payment, *, at: datetime) -> None:
    """Tell owners that their credits wait, and staff that somebody has to decide."""
    key, what = f"{warning.key}:opened", {"warning": warning, "payment": payment}
    _tell_account("fraud_warning", key, warning.account, what, at)
    desk = reverse("billing:staff_warning", args=[warning.pk])
    _tell_staff("staff_fraud_warning", f"staff:{key}", desk, what, at)


def tell_kept(warning: FraudWarning, payment: Payment, *, at: datetime) -> None:
    """Tell owners that their credits are usable again."""
    key, what = f"{warning.key}:kept", {"warning": warning, "payment": payment}
    _tell_account("fraud_warning_over", key, warning.account, what, at)


def _tell_account(
    kind: str, key: str, account: Account, what: dict[str, Any], at: datetime
) -> None:
    notifying.notify(
        kind=kind,
        key=key,
        recipients=notifying.billing_recipients(account),
        context={
            **what,
            "overview_url": f"{settings.BASE_URL}{reverse('billing:overview')}",
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )


def _tell_staff(
    kind: str, key: str, desk: str, what: dict[str, Any], at: datetime
) -> None:
    # Of no account: its members must not find the desk's address in their outbox.
    notifying.notify(
        kind=kind,
        key=key,
        recipients=notifying.staff_who_may(StaffPermission.WORK_DISPUTES),
        context={**what, "desk_url": f"{settings.BASE_URL}{desk}", "time_zone": "UTC"},
        at=at,
    )
