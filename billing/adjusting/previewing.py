"""What an adjustment would do, as things stand: tried out, and taken back at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db import transaction

from billing.adjusting import effects, wording
from billing.adjusting.drafts import Draft
from billing.models import AdjustmentKind
from credits import ledger, statements

if TYPE_CHECKING:
    from datetime import datetime

    from credits.statements import StatementRow


@dataclass(frozen=True, slots=True)
class GrantFigure:
    """What remains of one grant, and until when; an instant as text."""

    id: int
    label: str
    remaining: int
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """A wallet at one moment, as staff compare it before and after."""

    balance: int
    available: int
    held: int
    frozen: int
    debt: int
    grants: tuple[GrantFigure, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would change, and the row that the customer would see of it."""

    draft: Draft
    before: Figures
    after: Figures
    row: StatementRow | None

    @property
    def figures(self) -> dict[str, Any]:
        """Return before and after as they are kept with the adjustment."""
        return {"before": asdict(self.before), "after": asdict(self.after)}

    @property
    def shown(self) -> str:
        """Return what a form carries, so that only what was shown is done (R37)."""
        # A grant that is tried out has another number each time.
        figures = dumps([_countable(self.before), _countable(self.after)])
        return sha256(f"{self.draft}{figures}".encode()).hexdigest()


def preview(draft: Draft, *, at: datetime) -> Preview:
    """Return what an adjustment would do now. Nothing of it stays.

    Raises:
        AdjustmentRefused: it cannot be done.
    """
    if draft.kind == AdjustmentKind.RESTORE_LEGACY:
        # It needs a row that others have approved, and moves no credits.
        unchanged = figures_of(draft, at=at)
        return Preview(draft, unchanged, unchanged, row=None)
    reason = wording.reason_of(draft, regards=None)
    command = effects.Command(draft, f"preview:{uuid4().hex}", reason)
    with transaction.atomic():
        before = figures_of(draft, at=at)
        entry_id = effects.bring_about(command, at=at)
        after = figures_of(draft, at=at)
        [row] = statements.rows_of([entry_id] if entry_id else [])
        transaction.set_rollback(True)
    return Preview(draft, before, after, row)


def figures_of(draft: Draft, *, at: datetime) -> Figures:
    """Return the figures of the wallet that a draft is about."""
    wallet_id = ledger.open_wallet(account_id=draft.account.pk, unit=draft.unit, at=at)
    balance = statements.balance_of(wallet_id, at=at)
    return Figures(
        balance=balance.posted,
        available=balance.available,
        held=balance.held,
        frozen=balance.frozen,
        debt=balance.debt,
        grants=tuple(
            GrantFigure(
                id=grant.id,
                label=grant.label,
                remaining=grant.remaining,
                expires_at=grant.expires_at.isoformat() if grant.expires_at else None,
            )
            for grant in balance.grants
        ),
    )


def _countable(figures: Figures) -> list[Any]:
    counted = asdict(figures)
    grants = counted.pop("grants")
    return [counted, [{**grant, "id": None} for grant in grants]]
