"""What an adjustment is called, on statements and on the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.models import AdjustmentKind

if TYPE_CHECKING:
    from billing.adjusting.drafts import Draft
    from billing.finance.months import Month


def reason_of(draft: Draft, *, regards: Month | None) -> str:
    """Return what the entry says, which customers read: the note, and a month (R93)."""
    said = draft.customer_note or _without_a_note(draft.kind)
    if regards is None:
        return said
    return _("%(said)s (regards %(month)s)") % {"said": said, "month": regards}


def _without_a_note(kind: AdjustmentKind) -> str:
    if kind == AdjustmentKind.REVERSAL:
        return _("An adjustment was reversed.")
    return _("Adjusted by our team.")
