"""Undoing a make-good as a whole: what came back is taken again, if it is still there.

Source: docs/rules.md R92, R94.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from billing import batches
from billing.adjusting import AdjustmentRefused
from billing.models import BatchState, MakeGood, MakeGoodDebit
from credits import ledger
from credits.models import GrantDraw, LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

_AT_ONCE = 5_000


@transaction.atomic
def propose_undo(
    make_good_id: int, *, comment: str, ticket: str, by: User, at: datetime
) -> MakeGood:
    """Propose to take back all that was given, as far as it is still there.

    Raises:
        AdjustmentRefused: it is not done, nothing is left of it, it is being undone, or
            undoing it is not explained.

    Source: docs/rules.md R91, R94.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    done = MakeGood.objects.select_for_update(no_key=True).get(pk=make_good_id)
    if not may_be_undone(done):
        message = _("Only what was given back, and is not being undone, can be undone.")
        raise AdjustmentRefused(message)
    reversals = _reversals(done)
    if not _is_anything_left(reversals):
        raise AdjustmentRefused(_("Nothing is left of it: all was used, or expired."))
    undo = _undo_of(done)
    undo.comment, undo.ticket = comment, ticket
    undo.proposed_by, undo.proposed_at = by, at
    batches.limit(undo, at=at)
    undo.save()
    rows = _rows(undo, done, reversals)
    MakeGoodDebit.objects.bulk_create(rows, batch_size=_AT_ONCE)
    batches.begin_alone(undo, at=at)
    return undo


def may_be_undone(make_good: MakeGood) -> bool:
    """Whether a make-good has given something back, and nobody has asked to undo it."""
    return make_good.given_credits > 0 and batches.may_be_undone(make_good)


def take_back(undo: MakeGood, debit: MakeGoodDebit, *, at: datetime) -> int:
    """Take what an entry gave to its grants, as far as it is free there.

    Never what a job holds, and never what was used since (R92).
    """
    wallet_id = LedgerEntry.objects.values_list("wallet", flat=True).get(
        pk=debit.entry_id
    )
    ledger.expire_wallet(wallet_id=wallet_id, at=at)  # and lock it
    draws = GrantDraw.objects.filter(entry=debit.entry_id).select_related("grant")
    return sum(_taken(undo, debit, draw, at=at) for draw in draws.order_by("position"))


def _taken(
    undo: MakeGood, debit: MakeGoodDebit, draw: GrantDraw, *, at: datetime
) -> int:
    credits = min(draw.credits, draw.grant.remaining - draw.grant.held)
    if credits <= 0:
        return 0
    return ledger.revoke(
        grant_id=draw.grant_id,
        credits=credits,
        idempotency_key=f"{debit.key}{draw.grant_id}",
        actor="make-good",
        reason=undo.customer_note,
        at=at,
    ).credits


def _reversals(done: MakeGood) -> QuerySet[LedgerEntry]:
    """Return the entries by which a make-good gave back."""
    return LedgerEntry.objects.filter(
        reverses__in=done.debits.values("entry"),
        idempotency_key__startswith=f"make-good:{done.pk}:",
    )


def _is_anything_left(reversals: QuerySet[LedgerEntry]) -> bool:
    draws = GrantDraw.objects.filter(entry__in=reversals)
    return draws.filter(grant__remaining__gt=F("grant__held")).exists()


def _undo_of(done: MakeGood) -> MakeGood:
    """Return what undoes a make-good: all that it gave, which nobody has decided on."""
    given = done.debits.filter(given_credits__gt=0)
    return MakeGood(
        state=BatchState.PROPOSED,
        undoes=done,
        features=done.features,
        starts_at=done.starts_at,
        ends_at=done.ends_at,
        reference_prefix=done.reference_prefix,
        unit=done.unit,
        customer_note=_("Given back by mistake, and taken back."),
        accounts=given.values("account").distinct().count(),
        credits=done.given_credits,
        cents=sum(_cents(debit) for debit in given),
        size=given.count(),
        form_key=f"undo:{done.public_id}:{done.undoings.count() + 1}",
    )


def _rows(
    undo: MakeGood, done: MakeGood, reversals: QuerySet[LedgerEntry]
) -> list[MakeGoodDebit]:
    given = {debit.key: debit for debit in done.debits.filter(given_credits__gt=0)}
    return [
        MakeGoodDebit(
            make_good=undo,
            account_id=given[entry.idempotency_key].account_id,
            entry=entry,
            credits=entry.credits,
            cents=_cents(given[entry.idempotency_key]),
        )
        for entry in reversals
    ]


def _cents(debit: MakeGoodDebit) -> int:
    """Return what the credits that came back were paid with: at most what was found."""
    return debit.cents * (debit.given_credits or 0) // debit.credits
