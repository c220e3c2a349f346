"""What a buyer is told about purchases: where each stands, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _

from billing.models import STANDING, Purchase, PurchaseState
from billing.purchases.purchasing import CHECKOUT_LIFE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import Account
    from billing.models import Refund

_LEVELS = {
    PurchaseState.OPEN: "info",
    PurchaseState.PAID: "success",
    PurchaseState.EXPIRED: "neutral",
    PurchaseState.REFUNDING: "warning",
    PurchaseState.REFUNDED: "neutral",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way of a payment: done, current, todo or failed."""

    label: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One purchase as its buyer sees it. Paid figures once it is paid, asked before."""

    public_id: str
    state: PurchaseState
    state_label: str
    level: str
    opened_at: datetime
    paid_at: datetime | None
    buyer: str
    blocks: int
    credits: int
    cents: int
    unit_cents: int
    currency: str
    credits_expire_at: datetime | None
    receipt_url: str
    checkout_url: str
    refunds: tuple[Refund, ...]
    steps: tuple[Step, ...]

    @property
    def refunded_cents(self) -> int:
        """Return what went back of it, or is on its way."""
        return sum(refund.amount_cents for refund in self.refunds)

    @property
    def is_waiting(self) -> bool:
        """Whether its state may change by itself."""
        return self.state in {PurchaseState.OPEN, PurchaseState.REFUNDING}


def receipt_of(purchase: Purchase, *, at: datetime) -> Receipt:
    """Return what the buyer is told of a purchase at an instant."""
    offer, state = purchase.offer, PurchaseState(purchase.state)
    blocks = purchase.blocks_paid or purchase.blocks_asked
    refunds = tuple(
        refund for refund in purchase.refunds.all() if refund.state in STANDING
    )
    can_pay = state == PurchaseState.OPEN and at - purchase.opened_at < CHECKOUT_LIFE
    return Receipt(
        public_id=purchase.public_id,
        state=state,
        state_label=_label(state, refunds),
        level=_LEVELS[state],
        opened_at=purchase.opened_at,
        paid_at=purchase.paid_at,
        buyer=purchase.buyer.display_name,
        blocks=blocks,
        credits=blocks * offer.credits,
        cents=blocks * offer.cents
        if purchase.paid_cents is None
        else purchase.paid_cents,
        unit_cents=offer.cents,
        currency=purchase.currency,
        credits_expire_at=purchase.credits_expire_at,
        receipt_url=purchase.receipt_url,
        checkout_url=purchase.checkout_url if can_pay else "",
        refunds=refunds,
        steps=_steps(state, refunds),
    )


def receipts_of(
    account: Account, *, limit: int, at: datetime, before: str = ""
) -> list[Receipt]:
    """Return an account's purchases, newest first: those older than one, if named."""
    purchases = account.purchases.select_related("offer", "buyer")
    newest = purchases.prefetch_related("refunds").order_by("-opened_at", "-pk")
    if last := before and account.purchases.filter(public_id=before).first():
        newest = newest.filter(
            Q(opened_at__lt=last.opened_at)
            | Q(opened_at=last.opened_at, pk__lt=last.pk)
        )
    return [receipt_of(purchase, at=at) for purchase in newest[:limit]]


def _label(state: PurchaseState, refunds: Sequence[Refund]) -> str:
    if state == PurchaseState.PAID and refunds:
        return _("Partly refunded")
    return str(state.label)


def _steps(state: PurchaseState, refunds: Sequence[Refund]) -> tuple[Step, ...]:
    ordered = Step(_("Ordered"), "done")
    paid = Step(_("Payment received"), "done")
    match state:
        case PurchaseState.OPEN:
            return (
                ordered,
                Step(_("Payment"), "current", _("Waiting for Stripe to confirm it.")),
                Step(_("Credits added"), "todo"),
            )
        case PurchaseState.PAID:
            return ordered, paid, Step(_("Credits added"), "done")
        case PurchaseState.EXPIRED:
            return ordered, Step(_("Not paid"), "failed", _("Nothing was charged."))
        case _:
            is_back = state == PurchaseState.REFUNDED
            was_added = any(refund.credits for refund in refunds)
            return (
                ordered,
                paid,
                Step(_("Credits added"), "done")
                if was_added
                else Step(_("Credits not added"), "failed", _("The plan had ended.")),
                Step(_("Money returned"), "done" if is_back else "current"),
            )
