"""The wallet, what it holds, and everything that ever moved it."""

from __future__ import annotations

from credits.models.entry import ABSORBED, EntryKind, GrantDraw, LedgerEntry, UsageLine
from credits.models.grant import CreditGrant, Freeze, GrantSource
from credits.models.hold import Hold, HoldState
from credits.models.rate_card import Rate, RateCard, RateUnit
from credits.models.wallet import SpendingBlock, Wallet, WalletUnit

__all__ = [
    "ABSORBED",
    "CreditGrant",
    "EntryKind",
    "Freeze",
    "GrantDraw",
    "GrantSource",
    "Hold",
    "HoldState",
    "LedgerEntry",
    "Rate",
    "RateCard",
    "RateUnit",
    "SpendingBlock",
    "UsageLine",
    "Wallet",
    "WalletUnit",
]
