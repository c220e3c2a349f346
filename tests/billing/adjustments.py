"""Adjustments in one line: somebody of the staff, and what they do."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from accounts.models import User
from accounts.roles import StaffGroup
from billing import adjusting
from billing.adjusting import Draft, Why
from billing.models import Adjustment, AdjustmentKind, ReasonCode
from credits.models import Wallet
from tests.conftest import NOW
from tests.factories import make_staff

_forms = count(1)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
WHY = Why(ReasonCode.GOODWILL, "A video came out broken")


def make_admin(email: str = "") -> User:
    return make_staff(StaffGroup.ADMIN, email=email)


def add(account, credits, **fields) -> Draft:
    return Draft(account, AdjustmentKind.ADD, credits, expires_at=NOW + YEAR, **fields)


def remove(account, credits, **fields) -> Draft:
    return Draft(account, AdjustmentKind.REMOVE, credits, **fields)


def propose(draft, by, *, why=WHY, at=NOW, form_key="", **options) -> Adjustment:
    return adjusting.propose(
        draft,
        why,
        previewed=adjusting.preview(draft, at=at),
        by=by,
        form_key=form_key or f"test{next(_forms)}",
        at=at,
        **options,
    )


def adjust(draft, by, *, at=NOW, **options) -> Adjustment:
    """What somebody does within their own limit."""
    return adjusting.make(propose(draft, by, at=at, **options).pk, at=at)


def fresh(wallet) -> Wallet:
    return Wallet.objects.get(pk=wallet.pk)
