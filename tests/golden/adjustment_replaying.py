"""What staff adjust in vectors: people by their names, adjustments by theirs."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from accounts.models import Account, User
from accounts.roles import StaffGroup
from billing import adjusting
from billing.adjusting import AdjustmentRefused, Draft, Why
from billing.finance import closing, months
from billing.models import (
    Adjustment,
    AdjustmentKind,
    ReasonCode,
    Subscription,
)
from credits.models import CreditGrant
from tests.factories import make_staff
from tests.golden.legacy_replaying import LegacyReplay
from tests.golden.replaying import Replay

_forms = count(1)


class AdjustmentVerbs:
    """Verbs for whoever replays a wallet."""

    def __init__(self, *args):
        self.adjustments: dict[str, Adjustment] = {}
        super().__init__(*args)

    def outcome(self) -> dict:
        """Return all that a vector may expect, with what staff adjusted."""
        return super().outcome() | {
            "adjustments": [
                {
                    "name": name,
                    "state": made.state,
                    "credits": made.credits,
                    "approvals": made.approvals_needed,
                    "said": made.entry.reason if made.entry else "",
                }
                for name, made in self._adjusted()
            ]
        }

    def _adjust(self, command: dict, call: dict) -> None:
        """Propose it, and make it where nobody else is needed."""
        expires_at = command.get("expires_at")
        kind = AdjustmentKind(command["kind"])
        grant = command.get("grant")
        restores = kind == AdjustmentKind.RESTORE_LEGACY
        draft = Draft(
            account=self.wallet.account,
            kind=kind,
            credits=command.get("credits", 0),
            unit=self.wallet.unit,
            grant_id=self.grants[grant] if grant else None,
            expires_at=expires_at and datetime.fromisoformat(expires_at),
            subscription_id=_ended(self.wallet.account) if restores else None,
            customer_note=command.get("note", ""),
        )
        self._propose(draft, command)

    def _reverse_adjustment(self, command: dict, _: dict) -> None:
        made = self.adjustments[command["adjustment"]]
        made.refresh_from_db()
        self._propose(adjusting.reversal_of(made), command)

    def _approve(self, command: dict, _: dict) -> None:
        adjustment = self.adjustments[command["adjustment"]]
        adjusting.approve(adjustment.pk, by=_staff(command["by"]), at=self.at)

    def _close_month(self, command: dict, _: dict) -> None:
        month = months.parse(command["month"])
        closing.close(month, by=_staff("faye"), reason="vector", at=self.at)

    def _propose(self, draft: Draft, command: dict) -> None:
        regards = command.get("regards")
        adjustment = adjusting.adjust(
            draft,
            Why(
                ReasonCode(command.get("reason", "GOODWILL")),
                command.get("comment", "as the vector says"),
                regards=months.parse(regards) if regards else None,
            ),
            previewed=adjusting.preview(draft, at=self.at),
            by=_staff(command["by"]),
            form_key=f"vector{next(_forms)}",
            at=self.at,
        )
        self.adjustments[command["as"]] = adjustment

    def _adjusted(self) -> list[tuple[str, Adjustment]]:
        for adjustment in self.adjustments.values():
            adjustment.refresh_from_db()
        return list(self.adjustments.items())

    def _name(self, grant_id: int) -> str:
        """Return the name of a grant: one that was added is its adjustment's."""
        key = CreditGrant.objects.get(pk=grant_id).source_key
        for name, adjustment in self.adjustments.items():
            if key in {adjustment.key, f"move:{adjustment.entry_id}"}:
                return name
        return super()._name(grant_id)


class AdjustmentReplay(AdjustmentVerbs, Replay):
    """One wallet, and staff who adjust it."""

    refusals_expected = (*Replay.refusals_expected, AdjustmentRefused)


class AdjustedLegacyReplay(AdjustmentVerbs, LegacyReplay):
    """An account on a legacy plan, and staff who give it back."""

    refusals_expected = (*LegacyReplay.refusals_expected, AdjustmentRefused)


def _staff(name: str) -> User:
    email = f"{name}@staff.example"
    found = User.objects.filter(email=email).first()
    return found or make_staff(StaffGroup.ADMIN, email=email)


def _ended(account: Account) -> int:
    return Subscription.objects.filter(account=account).latest("ended_at").pk
