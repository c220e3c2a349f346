"""Rate cards as staff draft them: rows of their own, so that cards never change."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from credits.models.draft import Draft, DraftState
from credits.models.rate_card import RateCard


class RateDraft(Draft):
    """The rates that are to follow a published card."""

    audited_as = "rate_draft"

    based_on = models.ForeignKey(
        RateCard,
        on_delete=models.PROTECT,
        related_name="drafts",
        help_text="The last version of its rate plan when it was begun.",
    )
    lines = models.JSONField(help_text="One object a feature, in the order shown.")
    card = models.OneToOneField(
        RateCard,
        on_delete=models.PROTECT,
        related_name="draft",
        null=True,
        blank=True,
        help_text="What it was published as.",
    )
    told_up_to = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="The last wallet that was told; empty: nobody waits to be.",
    )

    class Meta(Draft.Meta):
        """A published draft is a card, and no other is."""

        constraints = [
            *Draft.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state=DraftState.PUBLISHED, card__isnull=False)
                | (~Q(state=DraftState.PUBLISHED) & Q(card=None, told_up_to=None)),
                name="ratedraft_published_is_a_card",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="ratedraft_to_tell",
                condition=Q(told_up_to__isnull=False),
            )
        ]

    @property
    def follows(self) -> str:
        """Return the card that it is to follow."""
        return str(self.based_on)

    @property
    def content(self) -> dict[str, Any]:
        """Return all that would be published, as JSON."""
        return {"based_on": self.based_on_id, "lines": self.lines}
