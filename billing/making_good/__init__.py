"""Giving back what jobs cost during an incident, once.

`find` shows what it would be, `propose` keeps that and begins it or asks another to
agree, and `give_back` does it, account by account. `propose_undo` takes it back.
"""

from __future__ import annotations

from billing.making_good.finding import (
    AccountShare,
    Debit,
    Found,
    Incident,
    features_charged,
    find,
)
from billing.making_good.giving_back import give_back
from billing.making_good.proposing import FoundOtherwise, propose, reject, withdraw
from billing.making_good.undoing import may_be_undone, propose_undo

__all__ = [
    "AccountShare",
    "Debit",
    "Found",
    "FoundOtherwise",
    "Incident",
    "features_charged",
    "find",
    "give_back",
    "may_be_undone",
    "propose",
    "propose_undo",
    "reject",
    "withdraw",
]
