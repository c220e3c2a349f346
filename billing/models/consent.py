"""What a customer agreed to: the very words, and when."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User


class ConsentKind(models.TextChoices):
    """What was agreed to."""

    PLAN = "PLAN", _("A plan that renews")
    LEAVE_LEGACY = "LEAVE_LEGACY", _("Leaving a legacy plan for good")
    AUTO_RELOAD = "AUTO_RELOAD", _("Charges without being asked each time")


class Consent(models.Model):
    """One agreement, kept as long as the ledger. Rows are only ever added."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="consents"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=ConsentKind)
    version = models.CharField(max_length=20, help_text="Of the wording.")
    text = models.TextField(help_text="As it was shown.")
    target = models.CharField(max_length=64, help_text="What it was about.")
    address = models.GenericIPAddressField(null=True, blank=True)
    given_at = models.DateTimeField()

    class Meta:
        """One agreement for each thing."""

        constraints = [
            models.UniqueConstraint("account", "kind", "target", name="consent_once")
        ]

    def __str__(self) -> str:
        """Return the kind and its subject."""
        return f"{self.kind} {self.target}"
