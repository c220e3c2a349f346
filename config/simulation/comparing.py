"""Our books beside Stripe's: a sentence on each thing that is not right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.reconciling import reading
from billing.reconciling.comparing import differences as from_stripe
from credits import audits

if TYPE_CHECKING:
    from datetime import datetime


def differences(*, at: datetime) -> list[str]:
    """Return what is wrong in the ledger, and what the reconciliation finds.

    Raises:
        StripeUnavailable: ask again.
    """
    broken = [f"{finding.check}: {finding.text}" for finding in audits.verify()]
    found = from_stripe(reading.read(None), at=at)
    return broken + [
        f"{one.kind.label} ({one.subject}): {dict(one.here)} here,"
        f" {dict(one.at_stripe)} at Stripe."
        for one in found
    ]
