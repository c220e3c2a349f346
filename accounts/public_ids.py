"""Ids that may be seen outside: they say what they name and reveal no count."""

from __future__ import annotations

import secrets

# Crockford's alphabet: no letter is mistaken for a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 20  # 100 bits


def new_public_id(prefix: str) -> str:
    """Return a new id such as `acc_7k3…` that nobody can guess."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
