"""What is told about changes of plan: where each stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.changes.changing import CHECKOUT_LIFE
from billing.models import ChangeKind, ChangeState, Invoice, InvoiceStatus, PlanFamily
from billing.purchases.receipts import Step

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import PlanChange

_WAITING = {ChangeState.ASKED, ChangeState.UNPAID}


@dataclass(frozen=True, slots=True)
class Progress:
    """One change of plan as its account sees it.

    `checkout_url` is where a new plan can be paid, `unpaid` the bill of an upgrade
    that waits for its payment, `next_code` the plan that was chosen to follow one that
    ends, if any (R34).
    """

    public_id: str
    kind: ChangeKind
    state: ChangeState
    old_name: str
    new_name: str
    next_code: str
    takes_effect_at: datetime | None
    credits_now: int
    cycle_credits: int
    shown_cents: int
    currency: str
    reason: str
    checkout_url: str
    unpaid: Invoice | None
    steps: tuple[Step, ...]

    @property
    def is_waiting(self) -> bool:
        """Whether its state may change by itself before long."""
        return self.state in _WAITING


def progress_of(change: PlanChange, *, at: datetime) -> Progress:
    """Return what an account is told of a change at an instant."""
    kind, state = ChangeKind(change.kind), ChangeState(change.state)
    can_pay = state is ChangeState.ASKED and at - change.requested_at < CHECKOUT_LIFE
    return Progress(
        public_id=change.public_id,
        kind=kind,
        state=state,
        old_name=change.from_version.plan.name,
        new_name=change.to_version.plan.name,
        next_code=_next_code(change),
        takes_effect_at=change.takes_effect_at,
        credits_now=change.credits_now if change.invoice_id else 0,
        cycle_credits=change.to_version.cycle_credits,
        shown_cents=change.shown_cents,
        currency=change.currency,
        reason=change.reason if state is ChangeState.REFUSED else "",
        checkout_url=change.checkout_url if can_pay else "",
        unpaid=_unpaid(change) if state is ChangeState.UNPAID else None,
        steps=_steps(kind, state),
    )


def _next_code(change: PlanChange) -> str:
    plan = change.to_version.plan
    is_chosen = change.kind == ChangeKind.CANCEL and plan.family != PlanFamily.FREE
    return plan.code if is_chosen else ""


def _unpaid(change: PlanChange) -> Invoice | None:
    # The bill of the upgrade is the latest that is still open.
    bills = Invoice.objects.filter(
        subscription=change.subscription,
        status=InvoiceStatus.OPEN,
        reason="subscription_update",
    )
    return bills.order_by("-created_at", "-pk").first()


def _steps(kind: ChangeKind, state: ChangeState) -> tuple[Step, ...]:
    asked = Step(_("Asked for"), "done")
    changed = Step(_("Plan changed"), "done" if state is ChangeState.DONE else "todo")
    if kind is ChangeKind.MIGRATE:
        return (*_later(state), Step(_("New price"), changed.state))
    if kind in {ChangeKind.DOWNGRADE, ChangeKind.CANCEL}:
        return (asked, *_later(state), changed)
    match state:
        case ChangeState.ASKED:
            note = _("Waiting for Stripe to confirm it.")
            return asked, Step(_("Payment"), "current", note), changed
        case ChangeState.UNPAID:
            note = _("It did not go through. Your plan is unchanged.")
            return asked, Step(_("Payment"), "failed", note), changed
        case ChangeState.DONE:
            return asked, Step(_("Payment received"), "done"), changed
        case _:
            return asked, Step(_("Not made"), "failed", _("Nothing was changed."))


def _later(state: ChangeState) -> tuple[Step, ...]:
    match state:
        case ChangeState.ASKED:
            return (Step(_("Scheduling"), "current"),)
        case ChangeState.UNDONE:
            return (Step(_("Taken back"), "failed", _("Your plan goes on.")),)
        case ChangeState.REFUSED:
            return (Step(_("Not made"), "failed", _("Nothing was changed.")),)
        case _:
            return (Step(_("Scheduled"), "done"),)
