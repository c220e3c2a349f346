"""The work queue as staff work on it: take, note, charge, close for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from billing import work_items
from billing.models import WebhookSubject, WorkItem, WorkKind, WorkState
from billing.stripe_gateway import BillingError
from billing.webhooks import desk
from credits import quoting, settling
from credits.ledger import CreditsError, UsedLine
from credits.models import Hold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from accounts.models import User


class NotOpen(BillingError):
    """Somebody was faster, or it has closed by itself."""


class TakenMeanwhile(BillingError):
    """It belongs to somebody else than was shown."""


class NotCharged(BillingError):
    """The job is still unbilled; the message says why."""


@transaction.atomic
def take(item: WorkItem, *, by: User, at: datetime) -> None:
    """Look after an item from now on, in place of whoever `item` says does.

    Of two who take it at once the second is told so, and changes nothing.

    Raises:
        NotOpen: it has been closed.
        TakenMeanwhile: by somebody, since `item` was read.
    """
    locked = _locked_open(item)
    if locked.owner_id != item.owner_id:
        raise TakenMeanwhile(
            _("%(owner)s has taken it meanwhile.") % {"owner": locked.owner}
        )
    before = {"owner": locked.owner and locked.owner.email}
    locked.owner = by
    locked.save(update_fields=["owner"])
    after = {"owner": by.email}
    _record("taken", locked, by=by, before=before, after=after, at=at)


@transaction.atomic
def note(item: WorkItem, *, text: str, by: User, at: datetime) -> None:
    """Write down what is known of an item."""
    locked = WorkItem.objects.select_for_update(no_key=True).get(pk=item.pk)
    before, after = {"note": locked.note}, {"note": text}
    if before != after:
        WorkItem.objects.filter(pk=item.pk).update(note=text)
        _record("noted", locked, by=by, before=before, after=after, at=at)


@transaction.atomic
def close(
    item: WorkItem, state: WorkState, *, reason: str, by: User, at: datetime
) -> None:
    """Close an item as done or ignored, and say why.

    What is ignored stays so, however often it is seen; a webhook is then ignored at
    the inbox as well.

    Raises:
        NotOpen: somebody was faster.
        IntegrityError: there is no reason.
    """
    locked = _locked_open(item)
    if (locked.kind, state) == (WorkKind.UNKNOWN_WEBHOOK, WorkState.IGNORED):
        _ignore_at_inbox(locked.subject, reason=reason, by=by, at=at)
    # By the inbox it may be closed by now, for the same reason.
    locked.state, locked.outcome, locked.closed_at = state, reason, at
    locked.save(update_fields=["state", "outcome", "closed_at"])
    before, after = {"state": WorkState.OPEN}, {"state": state}
    _record("closed", locked, by=by, before=before, after=after, reason=reason, at=at)


@transaction.atomic
def charge(item: WorkItem, *, by: User, at: datetime) -> None:
    """Charge an unbilled job now, if there are credits for it (R72).

    Keyed by its hold, as its backend's own attempts are: it is charged once,
    whoever comes first, and the item closes with it.

    Raises:
        NotOpen: it has been closed.
        NotCharged: there are still too few credits, or it was charged for other lines.
    """
    locked = _locked_open(item)
    hold = Hold.objects.select_related("wallet").get(public_id=locked.subject)
    try:
        settling.charge_lapsed(hold, lines=lines_of(locked), actor=str(by), at=at)
    except CreditsError as refusal:
        raise NotCharged(str(refusal)) from refusal
    after = {"credits": locked.credits, "hold": hold.public_id}
    _record("charged", locked, by=by, before={}, after=after, at=at)


def close_what_has_rates(*, at: datetime) -> int:
    """Close missing rates that have one by now (R97); return how many."""
    missing = WorkItem.objects.filter(kind=WorkKind.MISSING_RATE, state=WorkState.OPEN)
    closed = 0
    for item in missing:
        if version := _version_with_rate(item.facts, at=at):
            outcome = _("Rate card %(version)s has it.") % {"version": version}
            work_items.close(
                WorkKind.MISSING_RATE, item.subject, outcome=outcome, at=at
            )
            closed += 1
    return closed


def lines_of(item: WorkItem) -> tuple[UsedLine, ...]:
    """Return what an unbilled job used."""
    return tuple(UsedLine(*line) for line in item.facts["lines"])


def _version_with_rate(facts: dict[str, str], *, at: datetime) -> int | None:
    try:
        table = quoting.rates_in_force(rate_plan=facts["rate_plan"], at=at)
    except quoting.NoRateCard:
        return None
    has_rate = not facts["feature"] or table.rate_of(facts["feature"])
    return table.version if has_rate else None


def _locked_open(item: WorkItem) -> WorkItem:
    """Lock and return an item as it is now.

    Raises:
        NotOpen: it has been closed.
    """
    rows = WorkItem.objects.select_for_update(of=("self",), no_key=True)
    locked = rows.select_related("account", "owner").get(pk=item.pk)
    if not locked.is_open:
        raise NotOpen(_("It is closed already."))
    return locked


def _ignore_at_inbox(object_id: str, *, reason: str, by: User, at: datetime) -> None:
    subject = WebhookSubject.objects.filter(stripe_object_id=object_id).first()
    if subject and subject.is_due:
        desk.ignore(subject, reason=reason, by=by, at=at)


def _record(
    what: str,
    item: WorkItem,
    *,
    by: User,
    before: Mapping[str, object],
    after: Mapping[str, object],
    at: datetime,
    reason: str = "",
) -> None:
    auditing.record(
        action=f"work.{what}",
        actor=by,
        account=item.account,
        target=str(item),
        before=before,
        after=after,
        reason=reason,
        at=at,
    )
