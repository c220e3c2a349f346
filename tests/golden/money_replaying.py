"""What goes back in vectors: refunds, debts that are paid, plans that staff end."""

from __future__ import annotations

from itertools import count

from billing import payments
from billing.changes import canceling_now
from billing.changes.canceling_now import Wish
from billing.models import Invoice, Purchase, Refund
from billing.refunds import paying_debts, refunding
from billing.refunds.refunding import Extent

_PAID = {"blocks": Purchase, "plan": Invoice}
_forms = count(1)


class MoneyVerbs:
    """Verbs for whoever replays a plan: `self.plans` is its Stripe."""

    def outcome(self) -> dict:
        """Return all that a vector may expect, with what went back."""
        return super().outcome() | {
            "refunds": [
                {
                    "state": refund.state,
                    "cents": refund.amount_cents,
                    "removed": refund.credits_removed,
                    "expired": refund.credits_expired,
                    "to_come": refund.credits_to_come,
                    "owed": refund.debt_credits,
                    "owed_cents": refund.debt_cents,
                }
                for refund in Refund.objects.order_by("pk")
            ]
        }

    def _refund(self, command: dict, _: dict) -> None:
        """Preview a refund of the latest payment of a kind, and ask for it."""
        payment = payments.payment_for(_PAID[command["paid"]].objects.latest("pk"))
        previewed = refunding.preview(
            payment, Extent(command["extent"]), cents=command.get("cents"), at=self.at
        )
        refunding.ask(
            payment,
            previewed,
            by=self.owner,
            reason="vector",
            form_key=f"vector{next(_forms)}",
            at=self.at,
        )

    def _sweep_refunds(self, _: dict, __: dict) -> None:
        for refund_id in refunding.due_refunds(limit=100, at=self.at):
            refunding.look_after(refund_id=refund_id, at=self.at)

    def _pay_debt(self, _: dict, __: dict) -> None:
        """Pay all that is owed on Stripe's page, and hear of it."""
        payment = paying_debts.pay(account=self.account, payer=self.owner, at=self.at)
        self.plans.wire.pay(payment.stripe_session_id)
        self.plans.hear()

    def _end_plan_now(self, command: dict, _: dict) -> None:
        """End the plan as staff do."""
        form_key = f"vector{next(_forms)}"
        canceling_now.cancel(
            canceling_now.preview(self.account.pk, at=self.at),
            Wish(command["with_refund"], self.owner, "vector", form_key),
            at=self.at,
        )
        self.plans.hear()
