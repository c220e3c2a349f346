"""The draft that undoes an adjustment (R92)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.adjusting.drafts import AdjustmentRefused, Draft
from billing.models import DROPPED, Adjustment, AdjustmentKind, AdjustmentState
from credits.models import CreditGrant, WalletUnit

_REVERSIBLE = (AdjustmentKind.ADD, AdjustmentKind.REMOVE)


def require_reversible(adjustment: Adjustment) -> None:
    """Refuse to reverse what was not made, cannot be undone, or is undone already.

    Raises:
        AdjustmentRefused: one of these.
    """
    is_made = adjustment.state == AdjustmentState.MADE
    if not is_made or adjustment.kind not in _REVERSIBLE:
        raise AdjustmentRefused(_("This adjustment cannot be reversed."))
    if adjustment.reversals.exclude(state__in=DROPPED).exists():
        raise AdjustmentRefused(_("Its reversal was proposed before."))


def is_reversible(adjustment: Adjustment) -> bool:
    """Whether something could be reversed; whether anything is left is not asked."""
    try:
        require_reversible(adjustment)
    except AdjustmentRefused:
        return False
    return True


def reversal_of(adjustment: Adjustment) -> Draft:
    """Return what would undo an adjustment: never more than is left of it.

    Raises:
        AdjustmentRefused: all of what was added is used, held or gone; or see
            `require_reversible`.
    """
    require_reversible(adjustment)
    credits = adjustment.credits
    if adjustment.kind == AdjustmentKind.ADD:
        grant = CreditGrant.objects.get(source_key=adjustment.key)
        credits = grant.remaining - grant.held
    if credits <= 0:
        raise AdjustmentRefused(_("Nothing is left of what was added."))
    return Draft(
        account=adjustment.account,
        kind=AdjustmentKind.REVERSAL,
        credits=credits,
        unit=WalletUnit(adjustment.unit),
        reverses_id=adjustment.pk,
    )
