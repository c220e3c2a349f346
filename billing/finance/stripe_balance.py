"""What Stripe's balance did, kept for finance as it says it, once and for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Max

from billing.models import BalanceMovement, Customer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.stripe_gateway import BookedMovement


def kept(movements: Sequence[BookedMovement]) -> dict[str, BalanceMovement]:
    """Return those of these movements that were kept, by Stripe's id."""
    found = BalanceMovement.objects.filter(
        stripe_balance_transaction_id__in=[one.id for one in movements]
    )
    return {one.stripe_balance_transaction_id: one for one in found}


def kept_until() -> datetime | None:
    """Return when the last movement was that was kept; None: none was."""
    last: datetime | None = BalanceMovement.objects.aggregate(last=Max("booked_at"))[
        "last"
    ]
    return last


def keep(movements: Sequence[BookedMovement], *, at: datetime) -> None:
    """Keep the movements that are new; those that were kept stay as they are."""
    known = kept(movements)
    customers = Customer.objects.filter(
        stripe_customer_id__in={one.customer_id for one in movements}
    )
    accounts = dict(customers.values_list("stripe_customer_id", "account"))
    BalanceMovement.objects.bulk_create(
        [
            BalanceMovement(
                stripe_balance_transaction_id=one.id,
                category=one.category,
                source_id=one.source_id,
                account_id=accounts.get(one.customer_id),
                currency=one.currency,
                amount_cents=one.amount_cents,
                fee_cents=one.fee_cents,
                booked_at=one.booked_at,
                recorded_at=at,
            )
            for one in movements
            if one.id not in known
        ],
        ignore_conflicts=True,
    )
