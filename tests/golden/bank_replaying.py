"""What banks do in vectors: payments are disputed, warned about, decided on."""

from __future__ import annotations

from billing.disputes import fraud_warnings
from billing.models import Dispute, FraudWarning, Invoice, Purchase
from tests.billing.bank import Bank

_PAID = {"blocks": Purchase, "plan": Invoice}


class BankVerbs:
    """Verbs for whoever replays a plan: `self.plans` is its Stripe."""

    def outcome(self) -> dict:
        """Return all that a vector may expect, with what banks had to say."""
        return super().outcome() | {
            "disputes": [
                {
                    "status": dispute.status,
                    "effect": dispute.effect,
                    "frozen": dispute.frozen_credits,
                    "removed": dispute.removed_credits,
                    "owed": dispute.debt_credits,
                    "owed_cents": dispute.debt_cents,
                }
                for dispute in Dispute.objects.order_by("pk")
            ],
            "warnings": [
                [warning.state, warning.frozen_credits]
                for warning in FraudWarning.objects.order_by("pk")
            ],
        }

    def _dispute(self, command: dict, _: dict) -> None:
        """Dispute the latest payment of a kind, or so many cents of it."""
        kind = command.get("kind", "fraudulent")
        self._bank.dispute(self._latest(command), kind, command.get("cents", 0))

    def _decide(self, command: dict, _: dict) -> None:
        self._bank.decide(command["verb"])

    def _warn(self, command: dict, _: dict) -> None:
        self._bank.warn(self._latest(command))

    def _keep(self, _: dict, __: dict) -> None:
        """Decide that the payment that was warned about is genuine."""
        warning = FraudWarning.objects.latest("pk")
        fraud_warnings.keep_payment(
            warning_id=warning.pk, user=self.owner, reason="genuine", at=self.at
        )

    def _refund_at_stripe(self, command: dict, _: dict) -> None:
        self._bank.refund(self._latest(command), command.get("cents", 0))

    @property
    def _bank(self) -> Bank:
        return Bank(self.plans)

    @staticmethod
    def _latest(command: dict) -> Purchase | Invoice:
        return _PAID[command["paid"]].objects.latest("pk")
