"""Member caps as people read and set them: how much each member may use (R87)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from credits import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from accounts.models import Membership
    from credits.ledger import CapUsage
    from credits.models import Wallet


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member, the caps on them, and what they use of the tightest.

    `used` counts the charges of the window and all that is on hold for them. It is
    not known while the account has no caps at all.
    """

    membership_id: int
    name: str
    email: str
    own_cap: int | None
    cap: int | None
    used: int | None

    @property
    def percent(self) -> int:
        """Return how full the cap is, rounded down, for a bar; more is not fuller."""
        if not self.cap:
            return 100
        return min((self.used or 0) * 100 // self.cap, 100)

    @property
    def is_reached(self) -> bool:
        """Whether no job that costs anything goes through."""
        return self.cap is not None and (self.used or 0) >= self.cap


@dataclass(frozen=True, slots=True)
class CapsView:
    """An account's caps in their window; one without an end waits for a cycle."""

    each_cap: int | None
    members: tuple[MemberView, ...]
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def has_caps(self) -> bool:
        """Whether anybody has a cap."""
        return self.starts_at is not None


def caps_of(wallet: Wallet, *, members: Iterable[Membership], at: datetime) -> CapsView:
    """Return the caps on members and what they use: the figures jobs are held to."""
    members = list(members)
    caps = {cap.member_id: cap.credits for cap in wallet.caps.all()}
    usage = _usage(wallet, members, at=at) if caps else {}
    window = next(iter(usage.values()), None)
    return CapsView(
        each_cap=caps.get(None),
        members=tuple(_member_view(one, caps, usage) for one in members),
        starts_at=window.starts_at if window else None,
        ends_at=window.ends_at if window else None,
    )


@transaction.atomic
def set_cap(
    wallet: Wallet,
    *,
    member: Membership | None,
    credits: int | None,
    by: Membership,
    at: datetime,
) -> None:
    """Set the cap on a member, or on each (None); without credits, remove it.

    Raises:
        AmountOutOfBounds: not a whole number of credits, 0 or more.
    """
    before = ledger.set_cap(
        wallet_id=wallet.pk,
        member_id=member.user_id if member else None,
        credits=credits,
        set_by_id=by.user_id,
        at=at,
    )
    if before == credits:
        return
    auditing.record(
        action="member_cap.removed" if credits is None else "member_cap.set",
        actor=by.user,
        account=wallet.account,
        target=member.user.email if member else _("each member"),
        before=_said(before),
        after=_said(credits),
        at=at,
    )


def _usage(
    wallet: Wallet, members: Sequence[Membership], *, at: datetime
) -> dict[int, CapUsage]:
    ids = [member.user_id for member in members]
    found = ledger.usage_of_caps(wallet_id=wallet.pk, member_ids=ids, at=at)
    return {usage.member_id: usage for usage in found}


def _member_view(
    member: Membership, caps: dict[int | None, int], usage: dict[int, CapUsage]
) -> MemberView:
    own, each = caps.get(member.user_id), caps.get(None)
    used = usage.get(member.user_id)
    return MemberView(
        membership_id=member.pk,
        name=member.user.name,
        email=member.user.email,
        own_cap=own,
        cap=min((cap for cap in (own, each) if cap is not None), default=None),
        used=used.used if used else None,
    )


def _said(cap: int | None) -> dict[str, int]:
    return {} if cap is None else {"credits": cap}
