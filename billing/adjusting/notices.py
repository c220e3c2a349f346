"""Who is told of an adjustment: whoever may approve, its maker, and its customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import notifying
from accounts.templatetags import units
from billing import approval_notices
from billing.approval_notices import Proposal

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from billing.models import Adjustment


def ask(adjustment: Adjustment, *, at: datetime) -> None:
    """Tell whoever may approve that it waits; rows of a file are asked for with it."""
    if adjustment.is_waiting and adjustment.bulk_file_id is None:
        approval_notices.ask(_proposal(adjustment), at=at)


def answer(
    adjustment: Adjustment,
    *,
    by: User,
    is_approved: bool,
    reason: str = "",
    at: datetime,
) -> None:
    """Tell the maker what somebody else has decided."""
    if adjustment.bulk_file_id is None:
        proposal = _proposal(adjustment)
        approval_notices.answer(
            proposal, by=by, is_approved=is_approved, reason=reason, at=at
        )


def tell(adjustment: Adjustment, reason: str, *, at: datetime) -> None:
    """Tell of what was done to the credits, in the words of the statement."""
    account = adjustment.account
    notifying.notify(
        kind="adjustment_made",
        key=f"{adjustment.key}:made",
        recipients=notifying.billing_recipients(account),
        context={
            "adjustment": adjustment,
            "entry": adjustment.entry,
            "reason": reason,
            "page_url": settings.BASE_URL + reverse("credits:statement"),
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )


def _proposal(adjustment: Adjustment) -> Proposal:
    what = _("%(kind)s for %(name)s") % {
        "kind": adjustment.get_kind_display(),
        "name": adjustment.account.name,
    }
    amount = units.plural_credits(adjustment.credits)
    return Proposal(
        key=adjustment.key,
        what=f"{what} ({amount})" if adjustment.credits else what,
        comment=adjustment.comment,
        maker=adjustment.proposed_by,
        view="billing:staff_adjustment",
        public_id=adjustment.public_id,
        approvals_needed=adjustment.approvals_needed,
    )
