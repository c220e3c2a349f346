"""How the ledger's functions are called, and what repeated keys are compared by."""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING

from accounts.prepared import fetch as call

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["array", "call", "fingerprint"]

_QUOTED = str.maketrans({'"': r"\"", "\\": r"\\"})


def array(values: Iterable[int | str]) -> str:
    """Return an array as PostgreSQL reads it: psycopg takes longer over a list."""
    quoted = ",".join(f'"{str(value).translate(_QUOTED)}"' for value in values)
    return f"{{{quoted}}}"


def fingerprint(*asked: object) -> bytes:
    """Return a hash of what a caller asked for, to compare repeated keys by (R109)."""
    return sha256(dumps(asked, separators=(",", ":"), default=str).encode()).digest()
