"""What staff are told of what needs somebody else: that it waits, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import notifying
from accounts.roles import StaffPermission

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposed: in a few words, and by the view that shows it.

    `key` names its row ("adjustment:17").
    """

    key: str
    what: str
    comment: str
    maker: User
    view: str
    public_id: str
    approvals_needed: int

    @property
    def page_url(self) -> str:
        """Return the address of its page."""
        return f"{settings.BASE_URL}{reverse(self.view, args=[self.public_id])}"


def ask(proposal: Proposal, *, at: datetime) -> None:
    """Tell everybody who may approve, once; never its maker (R91)."""
    addresses = notifying.staff_who_may(StaffPermission.APPROVE)
    notifying.notify(
        kind="staff_approval",
        key=f"staff:{proposal.key}:waits",
        recipients=[one for one in addresses if one != proposal.maker.email],
        context={"proposal": proposal},
        at=at,
    )


def answer(
    proposal: Proposal, *, by: User, is_approved: bool, reason: str = "", at: datetime
) -> None:
    """Tell its maker what was decided, and why not."""
    notifying.notify(
        kind="staff_decision",
        key=f"staff:{proposal.key}:decided",
        recipients=[proposal.maker.email],
        context={
            "proposal": proposal,
            "by": by,
            "is_approved": is_approved,
            "reason": reason,
        },
        at=at,
    )
