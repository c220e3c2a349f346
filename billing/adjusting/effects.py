"""What an adjustment does: one command to the ledger, or a plan given back.

Source: docs/rules.md R35, R79, R91, R92, R95.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from django.utils.translation import gettext as _

from billing.adjusting import restoring
from billing.adjusting.drafts import AdjustmentRefused, Draft
from billing.disputes import doubts
from billing.models import Adjustment, AdjustmentKind, ReasonCode
from credits import ledger
from credits.models import CreditGrant, GrantSource

if TYPE_CHECKING:
    from datetime import datetime

_NOTHING_LEFT = "Nothing is left of these credits: they were used, held or expired."


@dataclass(frozen=True, slots=True)
class Command:
    """A draft as the ledger is told of it: under which key, with which words."""

    draft: Draft
    key: str
    reason: str
    source: GrantSource = GrantSource.ADJUSTMENT


class _Said(TypedDict):
    idempotency_key: str
    actor: str
    reason: str
    at: datetime


def command_of(adjustment: Adjustment, draft: Draft, reason: str) -> Command:
    """Return the command that an adjustment stands for."""
    is_promotion = adjustment.reason_code == ReasonCode.PROMOTION
    source = GrantSource.PROMO if is_promotion else GrantSource.ADJUSTMENT
    return Command(draft, adjustment.key, reason, source)


def bring_about(command: Command, *, at: datetime) -> int | None:
    """Do it, and return the entry's id; None: no credits move.

    The wallet is locked until the commit.

    Raises:
        AdjustmentRefused: so many credits are not there, or nothing is left to move.
    """
    draft = command.draft
    if draft.kind == AdjustmentKind.RESTORE_LEGACY:
        restoring.restore(draft, at=at)
        return None
    try:
        entry_id = _moved(command, at)
    except ledger.CreditsError as refused:
        raise AdjustmentRefused(str(refused)) from refused
    if entry_id is None:
        raise AdjustmentRefused(_(_NOTHING_LEFT))
    return entry_id


def _moved(command: Command, at: datetime) -> int | None:
    draft, said = command.draft, _said(command, at)
    wallet_id = ledger.open_wallet(account_id=draft.account.pk, unit=draft.unit, at=at)
    ledger.expire_wallet(wallet_id=wallet_id, at=at)  # and lock it
    match draft.kind:
        case AdjustmentKind.ADD:
            return _add(command, wallet_id, at)
        case AdjustmentKind.REMOVE:
            return ledger.remove(
                wallet_id=wallet_id,
                grant_id=draft.grant_id,
                credits=draft.credits,
                **said,
            ).entry_id
        case AdjustmentKind.MOVE_EXPIRY:
            return _move(draft, wallet_id, said)
        case AdjustmentKind.WRITE_OFF_DEBT:
            return ledger.clear_debt(
                wallet_id=wallet_id, credits=draft.credits, **said
            ).entry_id
        case _:
            return _reverse(draft, said)


def _said(command: Command, at: datetime) -> _Said:
    return {
        "idempotency_key": command.key,
        "actor": "adjustment",
        "reason": command.reason,
        "at": at,
    }


def _add(command: Command, wallet_id: int, at: datetime) -> int:
    draft = command.draft
    if draft.expires_at is None or draft.expires_at <= at:
        raise AdjustmentRefused(
            _("The credits would have expired already: choose a later day.")
        )
    return ledger.grant(
        wallet_id=wallet_id,
        source=command.source,
        source_key=command.key,
        credits=draft.credits,
        cost_basis_cents=0,
        effective_at=at,
        expires_at=draft.expires_at,
        actor="adjustment",
        reason=command.reason,
        at=at,
    ).entry_id


def _move(draft: Draft, wallet_id: int, said: _Said) -> int | None:
    grant = CreditGrant.objects.filter(
        pk=draft.grant_id or 0, wallet_id=wallet_id
    ).first()
    if grant is None or draft.expires_at is None:
        raise AdjustmentRefused(_("The account has no such credits: choose others."))
    if grant.remaining - grant.held > draft.credits:
        # What somebody agreed to is the most that moves.
        raise AdjustmentRefused(
            _("There is more of these credits by now: reject it, and propose it anew.")
        )
    return ledger.move(grant_id=grant.pk, expires_at=draft.expires_at, **said).entry_id


def _reverse(draft: Draft, said: _Said) -> int | None:
    made = Adjustment.objects.get(pk=draft.reverses_id or 0)
    if made.kind == AdjustmentKind.REMOVE:
        if made.entry_id is None:
            raise AdjustmentRefused(
                _("It was never made, so there is nothing to reverse.")
            )
        doubts.look_at_lost(draft.account.pk, at=said["at"])
        return ledger.reinstate(entry_id=made.entry_id, **said).entry_id
    grant = CreditGrant.objects.get(source_key=made.key)
    left = grant.remaining - grant.held
    taken = min(draft.credits, left)
    return ledger.revoke(
        grant_id=grant.pk,
        # All of it voids the grant.
        credits=None if taken == left and not grant.held else taken,
        **said,
    ).entry_id
