"""Closing a month for good, and sealing what it came to (R93).

What a running transaction recorded before the closing may still become visible after
it, and belongs to the month. So the figures are sealed a while later, once no such
transaction can be left; from then on `verify_ledger` compares them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import auditing
from billing.core.periods import Span
from billing.finance import months
from billing.finance.reports import cash, liability, revenue
from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import reading
from billing.models import Break, BreakState, ClosedMonth
from billing.stripe_gateway import BillingError
from credits.audits import register
from credits.models import CreditGrant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.models import User
    from billing.finance.months import Month

# Longer than any request or task that writes takes.
SEALS_AFTER = timedelta(minutes=10)


class NotClosable(BillingError):
    """The month cannot be closed; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What speaks against closing a month today; nothing of it forbids it."""

    open_breaks: int
    unsettled_grants: int

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.open_breaks or self.unsettled_grants)


def refusal(month: Month, *, at: datetime) -> str:
    """Return why a month cannot be closed, in words for people; "" if it can."""
    first = months.first_open(at=at)
    if months.closed(month):
        return _("It is closed already.")
    if month < first:
        return _("Nobody had credits then.")
    if month > first:
        return _("%(month)s comes first.") % {"month": first}
    if at < month.ends_at + months.CLOSES_AFTER:
        return _("It can be closed an hour after its end.")
    return ""


def doubts(month: Month) -> Doubts:
    """Return what somebody should look at before they close a month."""
    breaks = Break.objects.filter(state=BreakState.OPEN, happened_at__lt=month.ends_at)
    # The sweeper ends them within minutes: late ones go into the open month.
    unsettled = CreditGrant.objects.filter(
        is_open=True,
        clock_stopped_at=None,
        remaining__gt=F("held"),
        expires_at__lt=month.ends_at,
    )
    return Doubts(open_breaks=breaks.count(), unsettled_grants=unsettled.count())


def close(month: Month, *, by: User, reason: str, at: datetime) -> ClosedMonth:
    """Close a month for good: whatever comes later is posted in the open one.

    Raises:
        NotClosable: another month comes first, or this one is not over.
    """
    if why := refusal(month, at=at):
        raise NotClosable(why)
    found = doubts(month)
    try:
        with transaction.atomic():
            closed = ClosedMonth.objects.create(
                month=month.first,
                starts_at=month.starts_at,
                ends_at=month.ends_at,
                closed_at=at,
                closed_by=by,
            )
            auditing.record(
                action="month.closed",
                actor=by,
                target=month.code,
                before={
                    "open_breaks": found.open_breaks,
                    "unsettled_grants": found.unsettled_grants,
                },
                after={"ends_at": month.ends_at.isoformat()},
                reason=reason,
                at=at,
            )
    except IntegrityError as taken:
        raise NotClosable(_("Somebody else has just closed it.")) from taken
    return closed


def waiting(at: datetime) -> int:
    """Return whether a month waits to be closed: 1 if the next one can be."""
    return int(not refusal(months.first_open(at=at), at=at))


def due_months(*, at: datetime) -> list[ClosedMonth]:
    """Return the closed months that can be sealed, in their order."""
    waiting = ClosedMonth.objects.filter(
        sealed_at=None, closed_at__lte=at - SEALS_AFTER
    )
    return list(waiting.order_by("month"))


def seal(closed: ClosedMonth, *, at: datetime) -> None:
    """Write down what a closed month came to; a sealed one stays as it is."""
    figures = figures_of(closed)
    ClosedMonth.objects.filter(pk=closed.pk, sealed_at=None).update(
        figures=figures, sha256=checksum(figures), sealed_at=at
    )


@reading()
def figures_of(closed: ClosedMonth) -> dict[str, Any]:
    """Return what a closed month comes to by the reports, ready for JSON."""
    period = Span(closed.starts_at, closed.ends_at)
    return {
        "liability": {
            one.unit: {
                "opening": _pair(one.opening),
                **{moved.movement: _pair(moved.amount) for moved in one.moved},
                "closing": _pair(one.closing),
            }
            for one in liability.roll_forward(period)
        },
        "revenue": {one.name: _pair(one.amount) for one in revenue.revenue(period)},
        "cash": {
            f"{one.currency} {one.category}": [
                one.count,
                one.amount_cents,
                one.fee_cents,
            ]
            for one in cash.cash(period)
        },
    }


def checksum(figures: dict[str, Any]) -> str:
    """Return the SHA-256 of figures, whatever the order of their keys."""
    text = json.dumps(figures, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _broken_seals() -> Iterable[str]:
    for closed in ClosedMonth.objects.exclude(sealed_at=None).order_by("month"):
        sealed, today = closed.figures or {}, figures_of(closed)
        if checksum(sealed) != closed.sha256:
            yield f"{closed}: its sealed figures are not those of its checksum"
        elif sealed != today:
            yield f"{closed}: sealed {sealed}, and the reports say {today}"


def _pair(amount: Amount) -> list[int]:
    return [amount.credits, amount.cents]


register("R93 a sealed month stays as it was", _broken_seals)
