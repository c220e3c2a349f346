"""Which line of the roll-forward a ledger entry is on: billing/sql/moved.sql says."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Movement(TextChoices):
    """Why the credits that we owe became more or fewer, in the order of the report."""

    SOLD = "SOLD", _("Sold")  # blocks and reloads
    GRANTED = "GRANTED", _("Granted by plans")  # paid months, upgrades, packs
    GIVEN = "GIVEN", _("Granted again")  # what cannot go back to its own grant
    RESTORED = "RESTORED", _("Given back")  # use that was reversed
    REINSTATED = "REINSTATED", _("Put back")  # a refund that failed
    USED = "USED", _("Used")
    REPAID = "REPAID", _("Owed credits paid back")  # R79: kept of what was bought
    EXPIRED = "EXPIRED", _("Expired")
    FORFEITED = "FORFEITED", _("Forfeited")  # R26, R58: with or by a plan's change
    REFUNDED = "REFUNDED", _("Refunded")
    RETURNED = "RETURNED", _("Returned by a change of plan")  # R30
    DISPUTED = "DISPUTED", _("Lost to disputes")
    ADJUSTED = "ADJUSTED", _("Adjusted")  # goodwill, promotions and their opposite
    MOVED = "MOVED", _("Moved to a later expiry")  # R95: nets to nothing
    OTHER = "OTHER", _("Other")  # must be nothing: an entry that no rule knows
