"""The wallet, what it holds, and everything that ever moved it."""

from __future__ import annotations

from credits.models.alert import (
    ALERTS_LISTED,
    EXPIRY_DAYS,
    Alert,
    AlertKind,
    AlertSettings,
    ExpiryWatch,
    Unsubscription,
)
from credits.models.draft import Draft, DraftState
from credits.models.entry import ABSORBED, EntryKind, GrantDraw, LedgerEntry, UsageLine
from credits.models.free_video import FreeVideo
from credits.models.grant import CreditGrant, Freeze, GrantSource
from credits.models.hold import Hold, HoldState
from credits.models.member_cap import MemberCap, MemberUsage
from credits.models.rate_card import Rate, RateCard, RateUnit
from credits.models.rate_draft import RateDraft
from credits.models.usage_day import UsageDay, UsageMark, UsageWeek
from credits.models.wallet import SpendingBlock, Wallet, WalletUnit

__all__ = [
    "ABSORBED",
    "ALERTS_LISTED",
    "EXPIRY_DAYS",
    "Alert",
    "AlertKind",
    "AlertSettings",
    "CreditGrant",
    "Draft",
    "DraftState",
    "EntryKind",
    "ExpiryWatch",
    "FreeVideo",
    "Freeze",
    "GrantDraw",
    "GrantSource",
    "Hold",
    "HoldState",
    "LedgerEntry",
    "MemberCap",
    "MemberUsage",
    "Rate",
    "RateCard",
    "RateDraft",
    "RateUnit",
    "SpendingBlock",
    "Unsubscription",
    "UsageDay",
    "UsageLine",
    "UsageMark",
    "UsageWeek",
    "Wallet",
    "WalletUnit",
]
