"""What staff change many accounts with in vectors: files, and incidents made good."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from accounts.models import User
from accounts.roles import StaffGroup
from billing import batches, bulk_adjusting, making_good
from billing.adjusting import AdjustmentRefused
from billing.making_good import Incident
from billing.models import Adjustment
from credits.models import CreditGrant
from tests.billing.batches import line, sheet
from tests.factories import make_staff
from tests.golden.plan_replaying import PlanReplay
from tests.golden.replaying import Replay

_forms = count(1)
_WHY = "as the vector says"


class BatchVerbs:
    """Verbs for whoever replays a wallet."""

    def __init__(self, *args):
        self.batches = {}
        super().__init__(*args)

    def outcome(self) -> dict:
        """Return all that a vector may expect, with what became of each batch."""
        for batch in self.batches.values():
            batch.refresh_from_db()
        return super().outcome() | {
            "batches": [
                {
                    "name": name,
                    "state": batch.state,
                    "credits": batch.credits,
                    "done": batch.done,
                    "approvals": batch.approvals_needed,
                    "cents": getattr(batch, "cents", None),
                    "failures": len(getattr(batch, "failures", [])),
                }
                for name, batch in self.batches.items()
            ]
        }

    def _bulk(self, command: dict, _: dict) -> None:
        """Check a file of credits and last days, and propose it."""
        lines = [
            line(self.wallet.account, credits, last_day=last_day)
            for credits, last_day in command["rows"]
        ]
        by = _staff(command["by"])
        file = bulk_adjusting.check(sheet(*lines), name="", by=by, at=self.at)
        self.batches[command["as"]] = bulk_adjusting.propose(
            file.pk, comment=_WHY, ticket="", by=by, at=self.at
        )

    def _undo_bulk(self, command: dict, _: dict) -> None:
        self.batches[command["as"]] = bulk_adjusting.propose_undo(
            self.batches[command["file"]].pk,
            comment=_WHY,
            ticket="",
            by=_staff(command["by"]),
            at=self.at,
        )

    def _make_good(self, command: dict, _: dict) -> None:
        incident = Incident(
            features=tuple(command["features"]),
            starts_at=datetime.fromisoformat(command["starts_at"]),
            ends_at=datetime.fromisoformat(command["ends_at"]),
            unit=self.wallet.unit,
        )
        self.batches[command["as"]] = making_good.propose(
            incident,
            shown=making_good.find(incident).shown,
            comment=_WHY,
            ticket="",
            customer_note=_WHY,
            by=_staff(command["by"]),
            form_key=f"vector{next(_forms)}",
            at=self.at,
        )

    def _undo_make_good(self, command: dict, _: dict) -> None:
        self.batches[command["as"]] = making_good.propose_undo(
            self.batches[command["make_good"]].pk,
            comment=_WHY,
            ticket="",
            by=_staff(command["by"]),
            at=self.at,
        )

    def _approve_batch(self, command: dict, _: dict) -> None:
        batches.approve(
            self.batches[command["batch"]], by=_staff(command["by"]), at=self.at
        )

    def _work_off(self, _: dict, __: dict) -> None:
        """Let a worker do what was agreed to."""
        bulk_adjusting.carry_out(limit=1_000, at=self.at)
        making_good.give_back(limit=1_000, at=self.at)

    def _name(self, grant_id: int) -> str:
        """Return the name of a grant: one that a file added is its row."""
        key = CreditGrant.objects.get(pk=grant_id).source_key
        names = {batch.pk: name for name, batch in self.batches.items()}
        for made in Adjustment.objects.exclude(bulk_file=None):
            if made.key == key:
                return f"{names[made.bulk_file_id]} row {made.bulk_row}"
        return super()._name(grant_id)


class BatchReplay(BatchVerbs, Replay):
    """One wallet, and staff who change it by files and by incidents."""

    refusals_expected = (*Replay.refusals_expected, AdjustmentRefused)


class PlanBatchReplay(BatchVerbs, PlanReplay):
    """An account with a plan, and staff who change it likewise."""

    refusals_expected = (*PlanReplay.refusals_expected, AdjustmentRefused)


def _staff(name: str) -> User:
    email = f"{name}@staff.example"
    found = User.objects.filter(email=email).first()
    return found or make_staff(StaffGroup.ADMIN, email=email)
