"""What the desk says of breaks: what each kind means, and the figures by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.templatetags.units import money
from billing.models import BreakKind

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from billing.models import Break

ADVICE: dict[BreakKind, Promise] = {
    BreakKind.PAID_WITHOUT_GRANT: _(
        "Stripe has the money and the account has no credits for it. Repair it; where"
        " that is not offered, refund the payment or grant by an adjustment."
    ),
    BreakKind.GRANT_WITHOUT_PAYMENT: _(
        "The account has credits that nobody paid for. Look for the payment at Stripe;"
        " if there is none, remove the credits by an adjustment."
    ),
    BreakKind.DOUBLE_GRANT: _(
        "One payment brought credits twice. Remove the second grant by an adjustment."
    ),
    BreakKind.AMOUNT_DIFFERS: _(
        "Both sides know it, with other amounts. Stripe's is what moved: find out why"
        " ours differs before anything is refunded."
    ),
    BreakKind.CURRENCY_DIFFERS: _(
        "Both sides know it, in other currencies. Refund it and let it be paid again."
    ),
    BreakKind.REFUND_UNPOSTED: _(
        "Money went back, or failed to, and the ledger has not followed. Repair it."
    ),
    BreakKind.REFUND_UNKNOWN: _(
        "Credits were removed for a refund that Stripe does not know. Refund it anew,"
        " or give the credits back by an adjustment."
    ),
    BreakKind.DISPUTE_UNPOSTED: _(
        "A bank disputes a payment, or has decided, and credits do not show it."
        " Repair it."
    ),
    BreakKind.DISPUTE_UNKNOWN: _(
        "Credits are frozen, or were taken, for a dispute that Stripe does not know."
        " Look for the payment at Stripe; give credits back by an adjustment."
    ),
    BreakKind.ORPHAN_SESSION: _(
        "A checkout was completed whose order is not here. Find the customer at Stripe"
        " and refund the payment."
    ),
    BreakKind.SUBSCRIPTION_DIFFERS: _(
        "Stripe renews another plan than the account is on. Repair it: Stripe's word"
        " counts."
    ),
    BreakKind.INVOICE_DIFFERS: _(
        "An invoice is in another state at Stripe than here. Repair it: it only goes"
        " forward."
    ),
    BreakKind.FEE_DIFFERS: _(
        "Stripe's balance says something else than was kept of it. What was kept is"
        " never changed: find out which is right."
    ),
}
_NAMES: dict[str, Promise] = {
    "order": _("Order"),
    "refund": _("Refund"),
    "debt": _("Payment of a debt"),
    "payment": _("Payment"),
    "invoice": _("Invoice"),
    "source": _("Fee of"),
    "plan": _("Plan"),
    "price": _("Price"),
    "state": _("State"),
    "status": _("Status"),
    "is_paid": _("Paid"),
    "paid_until": _("Paid until"),
    "cents": _("Amount"),
    "due_cents": _("Amount due"),
    "fee_cents": _("Fee"),
    "currency": _("Currency"),
    "months": _("Months granted"),
    "credits": _("Credits granted"),
    "paid_credits": _("Credits paid for"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure on both sides; "" where a side does not say."""

    name: Promise | str
    here: str
    at_stripe: str

    @property
    def differs(self) -> bool:
        """Whether both sides say it, and not the same."""
        return bool(self.here and self.at_stripe) and self.here != self.at_stripe


def figures_of(found: Break) -> list[Figure]:
    """Return the figures of a break, both sides beside each other."""
    return [
        Figure(name, _shown(found.here, key), _shown(found.at_stripe, key))
        for key, name in _NAMES.items()
        if key in found.here or key in found.at_stripe
    ]


def _shown(side: dict[str, str | int | None], key: str) -> str:
    value = side.get(key)
    if value is None:
        return ""
    if key.endswith("cents"):
        return str(money(int(value), str(side.get("currency") or "usd")))
    return str(value)
