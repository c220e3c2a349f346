"""What was done, by whom: never changed, never deleted."""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """One thing that somebody did. Holds no foreign keys: history blocks no deletion.

    A database trigger refuses every update, delete and truncate.
    """

    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=60)
    actor = models.CharField(max_length=200, help_text="Who, as known at the time.")
    actor_id = models.BigIntegerField(null=True, blank=True)
    account_id = models.BigIntegerField(null=True, blank=True)
    target = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        """Read by account or by time."""

        indexes = [
            models.Index(
                fields=["account_id", "-occurred_at"], name="audit_event_by_account"
            ),
            models.Index(fields=["-occurred_at"], name="audit_event_by_time"),
        ]

    def __str__(self) -> str:
        """Return who did what."""
        return f"{self.actor}: {self.action} {self.target}".strip()
