"""What staff want to do to an account's credits, and why, before it is a row."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING

from billing.models import Adjustment, AdjustmentKind, ReasonCode
from billing.stripe_gateway import BillingError
from credits.models import WalletUnit

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from billing.finance.months import Month


class AdjustmentRefused(BillingError):
    """This cannot be adjusted, or not by this person. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be done. `credits` are those that move, whichever way.

    What else is named depends on the kind, as the constraints of `Adjustment` say.
    """

    account: Account
    kind: AdjustmentKind
    credits: int = 0
    unit: WalletUnit = WalletUnit.CREDITS
    grant_id: int | None = None
    expires_at: datetime | None = None
    subscription_id: int | None = None
    reverses_id: int | None = None
    customer_note: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is done, for staff; `regards` is the closed month that it is about."""

    reason_code: ReasonCode
    comment: str
    ticket: str = ""
    notifies: bool = False
    regards: Month | None = None


def draft_of(adjustment: Adjustment) -> Draft:
    """Return what was proposed."""
    return Draft(
        account=adjustment.account,
        kind=AdjustmentKind(adjustment.kind),
        credits=adjustment.credits,
        unit=WalletUnit(adjustment.unit),
        grant_id=adjustment.grant_id,
        expires_at=adjustment.expires_at,
        subscription_id=adjustment.subscription_id,
        reverses_id=adjustment.reverses_id,
        customer_note=adjustment.customer_note,
    )


def adjustment_of(draft: Draft, why: Why) -> Adjustment:
    """Return the row, not saved, that says what and why; not yet who and when."""
    return Adjustment(
        account=draft.account,
        unit=draft.unit,
        kind=draft.kind,
        credits=draft.credits,
        grant_id=draft.grant_id,
        expires_at=draft.expires_at,
        subscription_id=draft.subscription_id,
        reverses_id=draft.reverses_id,
        customer_note=draft.customer_note,
        reason_code=why.reason_code,
        comment=why.comment,
        ticket=why.ticket,
        notifies=why.notifies,
        regards_month=why.regards.first if why.regards else None,
        content_hash=_content_hash(draft, why),
    )


def _content_hash(draft: Draft, why: Why) -> str:
    """Return the SHA-256 of what is proposed: what others approve, word by word."""
    content = {
        "account": draft.account.public_id,
        "kind": draft.kind,
        "credits": draft.credits,
        "unit": draft.unit,
        "grant": draft.grant_id,
        "expires_at": draft.expires_at and draft.expires_at.isoformat(),
        "subscription": draft.subscription_id,
        "reverses": draft.reverses_id,
        "customer_note": draft.customer_note,
        "reason": why.reason_code,
        "comment": why.comment,
        "ticket": why.ticket,
        "notifies": why.notifies,
        "regards": why.regards and why.regards.code,
    }
    return sha256(dumps(content, sort_keys=True).encode()).hexdigest()
