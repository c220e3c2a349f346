"""Stripe's own books: what money moved, and which plans it renews. To compare with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.connection import client, translated_errors
from billing.stripe_gateway.reading import id_of, instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_PAGE = 100


@dataclass(frozen=True, slots=True)
class RenewingPlan:
    """A subscription that Stripe goes on charging for."""

    id: str
    status: str
    lookup_key: str
    period_ends_at: datetime


def money_by_customer() -> Mapping[str, int]:
    """Return what each customer has paid less what went back, in cents.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        moved = client().v1.balance_transactions.list(
            {"limit": _PAGE, "expand": ["data.source"]}
        )
        by_charge: Counter[str] = Counter()
        customers: dict[str, str] = {}
        for one in moved.auto_paging_iter():
            if isinstance(one.source, stripe.Charge):
                customers[one.source.id] = id_of(one.source.customer)
            by_charge[_charge_id(one.source)] += one.amount
    cents: Counter[str] = Counter()
    for charge_id, amount in by_charge.items():
        cents[customers.get(charge_id, "")] += amount
    return cents


def renewing_plans() -> list[RenewingPlan]:
    """Return every subscription that has not ended.

    Raises:
        StripeUnavailable: ask again.
    """
    with translated_errors():
        # Without a status Stripe leaves out what is canceled.
        found = client().v1.subscriptions.list({"limit": _PAGE})
        return [
            RenewingPlan(
                id=one.id,
                status=one.status,
                lookup_key=one.items.data[0].price.lookup_key or "",
                period_ends_at=instant(one.items.data[0].current_period_end),
            )
            for one in found.auto_paging_iter()
        ]


def _charge_id(source: object) -> str:
    if isinstance(source, stripe.Refund):
        return id_of(source.charge)
    return source.id if isinstance(source, stripe.Charge) else ""
