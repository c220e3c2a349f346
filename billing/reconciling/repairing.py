"""Repairing breaks, or deciding about them. A repair looks at Stripe's object again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from billing import stripe_gateway
from billing.models import Break, BreakState, WebhookSubject
from billing.webhooks import inbox

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


class NotRepaired(stripe_gateway.BillingError):
    """The break is as it was; the message says why."""


def repair(found: Break, *, by: User | str, at: datetime) -> None:
    """Let the handler of its webhooks look at the object again; repeating is harmless.

    Whether that was enough, the next comparison says: what still differs opens again.

    Raises:
        NotRepaired: somebody has to decide, or looking at it failed.
    """
    if not found.repair_kind:
        raise NotRepaired(_("There is no safe repair: somebody has to decide."))
    inbox.look_again(object_kind=found.repair_kind, object_id=found.repair_id, at=at)
    looked_at = WebhookSubject.objects.get(stripe_object_id=found.repair_id)
    if looked_at.is_due:
        reason = looked_at.last_error or _("somebody else looks at it at the moment")
        raise NotRepaired(_("Not repaired: %(reason)s.") % {"reason": reason})
    _close(found, BreakState.REPAIRED, by=by, reason=looked_at.outcome, at=at)


def ignore(found: Break, *, reason: str, by: User, at: datetime) -> None:
    """Leave a break as it is, for a reason; other figures open it again.

    Raises:
        IntegrityError: there is no reason.
    """
    _close(found, BreakState.IGNORED, by=by, reason=reason, at=at)


@transaction.atomic
def assign(
    found: Break, *, owner: User | None, note: str, by: User, at: datetime
) -> None:
    """Write down who looks after a break, and what they know of it."""
    before = {"owner": found.owner and found.owner.email, "note": found.note}
    after = {"owner": owner and owner.email, "note": note}
    if before == after:
        return
    Break.objects.filter(pk=found.pk).update(owner=owner, note=note)
    auditing.record(
        action="break.assigned",
        actor=by,
        account=found.account,
        target=str(found),
        before=before,
        after=after,
        at=at,
    )


@transaction.atomic
def _close(
    found: Break, state: BreakState, *, by: User | str, reason: str, at: datetime
) -> None:
    note = {"note": reason} if state == BreakState.IGNORED else {}
    still_open = Break.objects.filter(pk=found.pk, state=BreakState.OPEN)
    if not still_open.update(state=state, closed_at=at, **note):
        return
    auditing.record(
        action=f"break.{state.lower()}",
        actor=by,
        account=found.account,
        target=str(found),
        reason=reason,
        at=at,
    )
