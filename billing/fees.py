"""What Stripe took of our payments, kept for finance as its balance says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.models import Customer, StripeFee

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.stripe_gateway import BookedFee


def kept(fees: Sequence[BookedFee]) -> dict[str, StripeFee]:
    """Return those of these fees that were kept, by Stripe's id of the movement."""
    found = StripeFee.objects.filter(
        stripe_balance_transaction_id__in=[one.id for one in fees]
    )
    return {one.stripe_balance_transaction_id: one for one in found}


def keep(fees: Sequence[BookedFee]) -> None:
    """Keep the fees that are new; those that were kept stay as they are."""
    known = kept(fees)
    customers = Customer.objects.filter(
        stripe_customer_id__in={one.customer_id for one in fees}
    )
    accounts = dict(customers.values_list("stripe_customer_id", "account"))
    StripeFee.objects.bulk_create(
        [
            StripeFee(
                stripe_balance_transaction_id=one.id,
                category=one.category,
                source_id=one.source_id,
                account_id=accounts.get(one.customer_id),
                currency=one.currency,
                fee_cents=one.fee_cents,
                booked_at=one.booked_at,
            )
            for one in fees
            if one.id not in known
        ],
        ignore_conflicts=True,
    )


def correct(theirs: BookedFee, *, at: datetime) -> str:
    """Let a kept fee be what Stripe says that it is. For the inbox."""
    ours = StripeFee.objects.filter(stripe_balance_transaction_id=theirs.id)
    changed = ours.update(
        category=theirs.category,
        currency=theirs.currency,
        fee_cents=theirs.fee_cents,
        booked_at=theirs.booked_at,
    )
    return "corrected" if changed else "not kept"
