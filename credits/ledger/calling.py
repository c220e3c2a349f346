"""How the ledger's functions are called, and what repeated keys are compared by."""

from __future__ import annotations

from hashlib import sha256
from json import dumps

from accounts.prepared import fetch as call

__all__ = ["call", "fingerprint"]


def fingerprint(*asked: object) -> bytes:
    """Return a hash of what a caller asked for, to compare repeated keys by (R109)."""
    return sha256(dumps(asked, separators=(",", ":"), default=str).encode()).digest()
