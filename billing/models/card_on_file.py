"""When saved cards expire: all that is kept of a card, to be told in time."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models

from accounts.models import Account


class CardOnFile(models.Model):
    """A card that an account has saved at Stripe, as Stripe last told of it."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="cards_on_file"
    )
    stripe_card_id = models.CharField(max_length=64, unique=True)
    brand = models.CharField(max_length=40)
    last4 = models.CharField(max_length=4)
    expires_at = models.DateTimeField(help_text="The first instant without it.")
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When its end was told by e-mail."
    )

    class Meta:
        """The sweeper looks for ends that nobody was told of."""

        indexes = [
            models.Index(
                fields=["expires_at"],
                name="card_on_file_to_tell",
                condition=models.Q(told_at=None),
            )
        ]

    def __str__(self) -> str:
        """Return the card as people know it."""
        return f"{self.brand} {self.last4}"


def end_of_card(exp_year: int, exp_month: int) -> datetime:
    """Return the first instant at which a card is no longer good, in UTC.

    It is good through the month that is printed on it.
    """
    years, month = divmod(exp_month, 12)
    return datetime(exp_year + years, month + 1, 1, tzinfo=UTC)
