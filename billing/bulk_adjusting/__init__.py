"""Adjustments by the file: tried, made once, undone as a whole (R94).

`check` tries a file out and keeps it, `propose` begins it or asks another to agree, and
`carry_out` makes it, row by row. Undoing a file is a file of reversals.
"""

from __future__ import annotations

from billing.bulk_adjusting.carrying_out import carry_out
from billing.bulk_adjusting.checking import check
from billing.bulk_adjusting.proposing import propose, propose_undo
from billing.bulk_adjusting.reading import COLUMNS, FileRefused

__all__ = [
    "COLUMNS",
    "FileRefused",
    "carry_out",
    "check",
    "propose",
    "propose_undo",
]
