"""E-mails to send: an outbox, so that each is sent once and none is forgotten."""

from __future__ import annotations

from django.db import models

from accounts.models.account import Account


class Notice(models.Model):
    """One e-mail to one person, written with the fact that it tells of."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="notices", null=True, blank=True
    )
    key = models.CharField(
        max_length=400, unique=True, help_text="Names the fact and the recipient."
    )
    kind = models.CharField(max_length=40)
    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(help_text="Also the lease of a sender.")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(
        null=True, blank=True, help_text="The mail server refuses it for good."
    )

    class Meta:
        """The sender looks for what is unsent and due."""

        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(given_up_at=None),
                name="notice_sent_or_given_up",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="notice_due",
                condition=models.Q(sent_at=None, given_up_at=None),
            )
        ]

    def __str__(self) -> str:
        """Return what is said to whom."""
        return f"{self.kind} to {self.recipient}"
