"""Ids in Stripe's shapes."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
# Every byte stands for a letter or digit: one draw for an id, of which a year of
# renewals needs thousands. That the first few come more often does no harm here.
_LETTERS = bytes(ord(_ALPHABET[byte % len(_ALPHABET)]) for byte in range(256))
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
    return secrets.token_bytes(length).translate(_LETTERS).decode()
