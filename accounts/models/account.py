"""The paying organization."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models.functions import Lower

from accounts.public_ids import new_public_id


def new_account_id() -> str:
    """Return a public id for a new account."""
    return new_public_id("acc")


class Account(models.Model):
    """One organization that pays, with its members, its plan and its credits."""

    public_id = models.CharField(max_length=32, unique=True, default=new_account_id)
    name = models.CharField(max_length=120)
    billing_email = models.EmailField(blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO code.")
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Found by staff: by the beginnings of words in its name, or by its address."""

        indexes = [
            GinIndex(
                SearchVector("name", config="simple"), name="account_by_words_of_name"
            ),
            models.Index(Lower("billing_email"), name="account_by_billing_email"),
        ]

    def __str__(self) -> str:
        """Return the name and the public id."""
        return f"{self.name} ({self.public_id})"

    @property
    def initials(self) -> str:
        """Return one or two letters for the avatar."""
        return "".join(word[0] for word in self.name.split()[:2]).upper()
