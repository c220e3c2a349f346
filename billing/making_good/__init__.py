"""Giving back what jobs cost during an incident, once.

`find` shows what it would be, `propose` keeps that and begins it or asks another to
agree, and `give_back` does it, account by account.
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

__all__ = [
    "AccountShare",
    "Debit",
    "Found",
    "FoundOtherwise",
    "Incident",
    "features_charged",
    "find",
    "give_back",
    "propose",
    "reject",
    "withdraw",
]
