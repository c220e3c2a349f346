"""Credits up or down by staff: proposed, approved, made, reversed (R91 to R95).

A `Draft` says what, a `Why` says why. `preview` tries it out; `propose` writes it down
with who else has to agree; `make` or `approve` does it, in the same transaction as the
entry that it leaves.
"""

from __future__ import annotations

from billing.adjusting.deciding import (
    DecidedBefore,
    adjust,
    approve,
    make,
    reject,
    withdraw,
)
from billing.adjusting.drafts import AdjustmentRefused, Draft, Why, draft_of
from billing.adjusting.limits import approvals_for, room
from billing.adjusting.previewing import Preview, preview
from billing.adjusting.proposing import propose
from billing.adjusting.reversing import is_reversible, reversal_of

__all__ = [
    "AdjustmentRefused",
    "DecidedBefore",
    "Draft",
    "Preview",
    "Why",
    "adjust",
    "approvals_for",
    "approve",
    "draft_of",
    "is_reversible",
    "make",
    "preview",
    "propose",
    "reject",
    "reversal_of",
    "room",
    "withdraw",
]
