"""The card holder's bank: it disputes payments at the sandbox, warns, and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.models import Dispute, Invoice, Purchase
from stripe_sandbox import disputing
from stripe_sandbox.resources import early_fraud_warnings

if TYPE_CHECKING:
    from tests.billing.plans import Plans

Json = dict[str, Any]


class Bank:
    """Each verb happens at Stripe and is heard of, unless `hears` says no."""

    def __init__(self, plans: Plans, *, hears: bool = True) -> None:
        self.plans = plans
        self.sandbox = plans.wire.sandbox
        self.hears = hears

    def dispute(
        self, paid: Purchase | Invoice, kind: str = "fraudulent", cents: int = 0
    ) -> str:
        """Ask a payment back, or so many cents of it; return Stripe's id of it."""
        with self.sandbox.store.transaction():
            opened = disputing.dispute(
                self.sandbox.context(), self.charge(paid), kind, cents=cents
            )
        self._hear()
        return opened["id"]

    def decide(self, verb: str, dispute_id: str = "") -> None:
        """Let the bank "win", "lose" (for the merchant) or "escalate" a dispute."""
        stripe_id = dispute_id or Dispute.objects.latest("pk").stripe_dispute_id
        with self.sandbox.store.transaction():
            context = self.sandbox.context()
            disputed = context.fetch("dispute", stripe_id)
            getattr(disputing, verb)(context, disputed)
        self._hear()

    def warn(self, paid: Purchase | Invoice) -> str:
        """Warn that a payment may be fraud; return Stripe's id of the warning."""
        with self.sandbox.store.transaction():
            warning = early_fraud_warnings.warn(
                self.sandbox.context(), self.charge(paid)
            )
        self._hear()
        return warning["id"]

    def refund(self, paid: Purchase | Invoice, cents: int = 0) -> None:
        """Refund a payment in Stripe's dashboard: all of it, or so many cents."""
        amount = {"amount": cents} if cents else {}
        self.plans.wire.client().v1.refunds.create(
            {"payment_intent": self._intent_id(paid), **amount}
        )
        self._hear()

    def charge(self, paid: Purchase | Invoice) -> Json:
        """Return the charge of a payment as it is at Stripe."""
        [charge] = self.sandbox.store.find(
            "charge", payment_intent=self._intent_id(paid)
        )
        return charge

    def _intent_id(self, paid: Purchase | Invoice) -> str:
        # Of a page that was just paid, only Stripe may know it yet.
        known = getattr(paid, "intent_id", "")
        return known or type(paid).objects.get(pk=paid.pk).stripe_payment_intent_id

    def _hear(self) -> None:
        if self.hears:
            self.plans.hear()
