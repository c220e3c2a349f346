"""Stripe's books as of now: read in lists, outside any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from billing import stripe_gateway
from billing.finance import stripe_balance

if TYPE_CHECKING:
    from datetime import datetime

    from billing.stripe_gateway import (
        BookedDispute,
        BookedInvoice,
        BookedMovement,
        BookedPayment,
        BookedRefund,
        BookedSession,
        RenewingPlan,
    )

# Stripe dates an object by its own clock: what we have dated is looked for before, too.
_CLOCKS_DIFFER_BY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Books:
    """What Stripe has, as far as it is newer than `since`: None means everything.

    The plans are always all of those that have not ended.
    """

    since: datetime | None
    payments: list[BookedPayment]
    sessions: list[BookedSession]
    invoices: list[BookedInvoice]
    refunds: list[BookedRefund]
    disputes: list[BookedDispute]
    movements: list[BookedMovement]
    plans: list[RenewingPlan]

    @property
    def size(self) -> int:
        """How many objects these are."""
        return sum(
            len(kind)
            for kind in (
                self.payments,
                self.sessions,
                self.invoices,
                self.refunds,
                self.disputes,
                self.movements,
                self.plans,
            )
        )


def read(since: datetime | None) -> Books:
    """Read all of Stripe's books.

    Raises:
        StripeUnavailable: ask again.
    """
    earlier = since - _CLOCKS_DIFFER_BY if since else None
    return Books(
        since=since,
        payments=stripe_gateway.booked_payments(earlier),
        sessions=stripe_gateway.booked_sessions(earlier),
        invoices=stripe_gateway.booked_invoices(earlier),
        refunds=stripe_gateway.booked_refunds(earlier),
        disputes=stripe_gateway.booked_disputes(earlier),
        movements=stripe_gateway.booked_movements(_unkept_since(earlier)),
        plans=stripe_gateway.renewing_plans(),
    )


def _unkept_since(earlier: datetime | None) -> datetime | None:
    # After a long silence there is more to keep than there is to compare.
    kept_until = stripe_balance.kept_until()
    return min(earlier, kept_until) if earlier and kept_until else None
