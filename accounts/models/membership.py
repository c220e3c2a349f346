"""Who belongs to which account, as what, and who was asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from accounts.models.user import User

if TYPE_CHECKING:
    from datetime import datetime


class Role(models.TextChoices):
    """What a member may do is one table in `accounts/roles.py`."""

    OWNER = "OWNER", _("Owner")
    ADMIN = "ADMIN", _("Admin")
    BILLING = "BILLING", _("Billing")
    MEMBER = "MEMBER", _("Member")


class Membership(models.Model):
    """One user in one account, with one role."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A user is in an account once, in a role that exists."""

        constraints = [
            models.UniqueConstraint("account", "user", name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        """Return who is what in which account."""
        return f"{self.user} ({self.role}) in {self.account}"


class Invitation(models.Model):
    """An e-mailed offer to join an account; its secret is only kept hashed."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One open invitation per address and account; it ends in one way."""

        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None),
                name="invitation_accepted_or_revoked",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="invitation_role_known"
            ),
        ]

    def __str__(self) -> str:
        """Return who is asked to join what."""
        return f"{self.email} to {self.account}"

    def is_open(self, *, at: datetime) -> bool:
        """Whether it can still be accepted; the expiry instant itself is too late."""
        return not self.accepted_at and not self.revoked_at and at < self.expires_at
