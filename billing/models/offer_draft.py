"""Plans and blocks as staff draft them: rows of their own, so that offers stay."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from billing.models.plan import Plan
from credits.models import Draft, DraftState


class OfferDraft(Draft):
    """The terms that are to follow the last version of a plan, or of the blocks."""

    audited_as = "offer_draft"

    plan = models.ForeignKey(
        Plan,
        on_delete=models.PROTECT,
        related_name="drafts",
        null=True,
        blank=True,
        help_text="Empty: the blocks.",
    )
    based_on = models.IntegerField(help_text="The last version when it was begun.")
    terms = models.JSONField(help_text="Amounts by their names.")
    version = models.IntegerField(
        null=True, blank=True, help_text="What it was published as."
    )
    priced_at = models.DateTimeField(
        null=True, blank=True, help_text="When Stripe knew its prices."
    )

    class Meta(Draft.Meta):
        """A published draft is a version, and no other is."""

        constraints = [
            *Draft.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state=DraftState.PUBLISHED, version__isnull=False)
                | (~Q(state=DraftState.PUBLISHED) & Q(version=None, priced_at=None)),
                name="offerdraft_published_is_a_version",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="offerdraft_to_price",
                condition=Q(state=DraftState.PUBLISHED, priced_at=None),
            )
        ]

    @property
    def follows(self) -> str:
        """Return the version that it is to follow."""
        return f"{self.plan or 'block'} v{self.based_on}"

    @property
    def content(self) -> dict[str, Any]:
        """Return all that would be published, as JSON."""
        return {
            "plan": self.plan_id,
            "based_on": self.based_on,
            "terms": self.terms,
        }
