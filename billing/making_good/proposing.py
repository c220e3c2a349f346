"""Proposing to make an incident good: what was found is kept, and spoken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from billing import batches
from billing.adjusting import AdjustmentRefused
from billing.making_good.finding import find
from billing.models import BatchState, MakeGood, MakeGoodDebit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from billing.making_good.finding import Debit, Found, Incident

_AT_ONCE = 5_000


class FoundOtherwise(AdjustmentRefused):
    """What was shown is not what would be given back by now."""


@transaction.atomic
def propose(
    incident: Incident,
    *,
    shown: str,
    comment: str,
    ticket: str,
    customer_note: str,
    by: User,
    form_key: str,
    at: datetime,
) -> MakeGood:
    """Propose to give back what was shown; within their limit it begins at once.

    The same form is the same make-good, in whatever state it is by now.

    Raises:
        FoundOtherwise: jobs were added or given back since it was shown.
        AdjustmentRefused: there is nothing to give back, or it is not explained.

    Source: docs/rules.md R91, R94.
    """
    # Two forms of one person at once share their limit.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    known = MakeGood.objects.filter(form_key=form_key, proposed_by=by).first()
    if known:
        return known
    found = find(incident)
    if not found.debits:
        raise AdjustmentRefused(
            _("There is nothing to give back: no job used this, or all was given back.")
        )
    if found.shown != shown:
        raise FoundOtherwise(_("Something has changed. Check it again."))
    make_good = _make_good_of(found)
    make_good.comment, make_good.ticket = comment, ticket
    make_good.customer_note, make_good.form_key = customer_note, form_key
    make_good.proposed_by, make_good.proposed_at = by, at
    batches.limit(make_good, at=at)
    make_good.save()
    _stand_for(make_good, found.debits)
    batches.begin_alone(make_good, at=at)
    return make_good


def _make_good_of(found: Found) -> MakeGood:
    """Return the row that says what was found: not saved, nor why and by whom."""
    incident = found.incident
    return MakeGood(
        state=BatchState.PROPOSED,
        features=[*incident.features],
        starts_at=incident.starts_at,
        ends_at=incident.ends_at,
        reference_prefix=incident.reference_prefix,
        unit=incident.unit,
        accounts=found.accounts,
        credits=found.credits,
        cents=found.cents,
        size=len(found.debits),
    )


def _stand_for(make_good: MakeGood, debits: Sequence[Debit]) -> None:
    """Let no other make-good give these debits back.

    Raises:
        FoundOtherwise: another one that overlaps was proposed at the same moment.
    """
    rows = [
        MakeGoodDebit(
            make_good=make_good,
            account_id=debit.account_id,
            entry_id=debit.entry_id,
            feature=debit.feature,
            credits=debit.credits,
            cents=debit.cents,
        )
        for debit in debits
    ]
    MakeGoodDebit.objects.bulk_create(rows, batch_size=_AT_ONCE, ignore_conflicts=True)
    if make_good.debits.count() != make_good.size:
        raise FoundOtherwise(_("Something has changed. Check it again."))


@transaction.atomic
def reject(make_good: MakeGood, *, by: User, reason: str, at: datetime) -> MakeGood:
    """Refuse it for good; another one may have its debits.

    Raises:
        AdjustmentRefused: see `batches.reject`.
    """
    dropped = batches.reject(make_good, by=by, reason=reason, at=at)
    dropped.debits.all().delete()
    return dropped


@transaction.atomic
def withdraw(make_good: MakeGood, *, by: User, at: datetime) -> MakeGood:
    """Take it back; another one may have its debits.

    Raises:
        AdjustmentRefused: see `batches.withdraw`.
    """
    dropped = batches.withdraw(make_good, by=by, at=at)
    dropped.debits.all().delete()
    return dropped
