"""The only way to move credits: the typed face of the functions in `credits/sql/`.

Each call is one round trip and all or nothing. `at` is business time; credits are
whole numbers. The functions decide; this package adds names, types and kind errors.
"""

from __future__ import annotations

from credits.ledger.correcting import (
    FRESH_TIME,
    Corrected,
    Moved,
    clear_debt,
    freeze,
    move,
    record_debt,
    reverse,
    revoke,
    unfreeze,
)
from credits.ledger.errors import (
    CreditsError,
    ExceedsHold,
    GrantNotFound,
    HoldClosed,
    HoldNotFound,
    IdempotencyConflict,
    InsufficientCredits,
    NotEnoughLeft,
    NotPossible,
    SpendingBlocked,
    WalletNotFound,
)
from credits.ledger.granting import (
    Granted,
    expire_due,
    expire_wallet,
    grant,
    open_wallet,
    set_terms,
)
from credits.ledger.holding import (
    LONGEST_LIFE,
    TIME_TO_LIVE,
    Captured,
    Extended,
    Held,
    Released,
    capture,
    extend_hold,
    hold,
    hold_fingerprint,
    release,
)
from credits.ledger.spending import (
    MAX_BATCH,
    Spend,
    Spent,
    UsedLine,
    spend,
    spend_batch,
)

__all__ = [
    "FRESH_TIME",
    "LONGEST_LIFE",
    "MAX_BATCH",
    "TIME_TO_LIVE",
    "Captured",
    "Corrected",
    "CreditsError",
    "ExceedsHold",
    "Extended",
    "GrantNotFound",
    "Granted",
    "Held",
    "HoldClosed",
    "HoldNotFound",
    "IdempotencyConflict",
    "InsufficientCredits",
    "Moved",
    "NotEnoughLeft",
    "NotPossible",
    "Released",
    "Spend",
    "SpendingBlocked",
    "Spent",
    "UsedLine",
    "WalletNotFound",
    "capture",
    "clear_debt",
    "expire_due",
    "expire_wallet",
    "extend_hold",
    "freeze",
    "grant",
    "hold",
    "hold_fingerprint",
    "move",
    "open_wallet",
    "record_debt",
    "release",
    "reverse",
    "revoke",
    "set_terms",
    "spend",
    "spend_batch",
    "unfreeze",
]
