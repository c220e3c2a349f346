"""Ids in Stripe's shapes."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
_SHORT = frozenset({"cus", "prod", "req"})


def new_id(prefix: str) -> str:
    """Return a fresh id, e.g. `cus_9s6XKzkNRiz8i3` or `pi_1...` for the longer ones."""
    if prefix in _SHORT:
        return f"{prefix}_{token(14)}"
    if prefix == "cs_test":
        return f"cs_test_a1{token(56)}"
    return f"{prefix}_1{token(23)}"


def token(length: int) -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
