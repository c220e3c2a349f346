"""What this app tells upwards, to whoever listens; it knows none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

# Sent after the commit with `available`, by account id, and `needed`: what a job that
# was refused for want of credits costs, else 0. A receiver may answer with a word or
# two about what it does for that job.
balance_changed = Signal()
# Sent with the fact's own transaction: `entry_ids` of grants that were posted, `at`.
credits_granted = Signal()
# Sent with the alert's own transaction, once for each threshold and window: `wallet`,
# `available`, `threshold`, `key` of the alert, `at`.
balance_low = Signal()
# Sent when a job is refused for want of rates (R97): `rate_plan`, its `version` in
# force and the `features`; without a version no card is in force.
rate_missing = Signal()
# Sent when the hold of a job has timed out and it cannot be charged anew (R72): `hold`,
# `unbilled`, `at`; and once it was charged after all: `hold`, `at`.
job_unbilled = Signal()
job_billed = Signal()
# Sent when a job cost more than its hold (R71): `hold`, the dearest `feature`, the
# `credits` that were not charged, `at`.
cost_absorbed = Signal()


def tell_balances(available: Mapping[int, int], *, needed: int = 0) -> str:
    """Tell that less is available, or too little for a job; return what comes of it.

    Nothing that goes wrong with a receiver reaches whoever tells.
    """
    answers = balance_changed.send_robust(
        sender=None, available=available, needed=needed
    )
    said = (answer for _, answer in answers if isinstance(answer, str))
    return next(said, "")
