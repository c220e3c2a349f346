"""Keys with which the product's backend speaks to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.user import User
from accounts.public_ids import new_public_id

if TYPE_CHECKING:
    from datetime import datetime


class Scope(models.TextChoices):
    """What a key may do; each endpoint names the one it needs."""

    RATES_READ = "rates:read", _("Read rates and quote jobs")
    CREDITS_READ = "credits:read", _("Read balances and statements")
    CREDITS_SPEND = "credits:spend", _("Spend credits")
    CREDITS_HOLD = "credits:hold", _("Hold credits")


def new_key_id() -> str:
    """Return a public id for a new key."""
    return new_public_id("key")


class ServiceKey(models.Model):
    """One key: of one account, or of the operator for all accounts (no account).

    The secret is shown once and kept as a SHA-256 hash. It is random, so a slow
    hash would only slow the API down.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_key_id)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="service_keys",
        null=True,
        blank=True,
    )
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    last4 = models.CharField(max_length=4)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope))
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A key can do something, and only known things."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__len__gt=0), name="service_key_has_a_scope"
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values),
                name="service_key_scopes_known",
            ),
        ]

    def __str__(self) -> str:
        """Return the name and what of the key may be shown."""
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        """Return the key as lists show it: its prefix and its last four characters."""
        return f"{self.prefix}…{self.last4}"

    def is_live(self, *, at: datetime) -> bool:
        """Whether it opens anything at this instant."""
        return self.revoked_at is None and (
            self.expires_at is None or at < self.expires_at
        )
