"""The inbox: what Stripe told, and which of its objects have to be looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

# Five retries have failed by then.
STUCK_AFTER = timedelta(minutes=15)
# What a look leads to that nobody acts on: no handler, or a person's decision.
IGNORED, IGNORED_BY_STAFF = "ignored", "ignored by staff"
# How `last_error` begins when Stripe tells of an account that is not here (R98).
UNKNOWN_ACCOUNT = "UnknownAccount:"


class SubjectState(models.TextChoices):
    """Where looking at an object stands."""

    WAITING = "WAITING", _("Waiting")
    FAILING = "FAILING", _("Failing")
    UNKNOWN = "UNKNOWN", _("Unknown account")
    IGNORED = "IGNORED", _("Ignored")
    DONE = "DONE", _("Done")


_IS_DUE = Q(rounds_done__lt=F("rounds_due"))
_IS_UNKNOWN = Q(last_error__startswith=UNKNOWN_ACCOUNT)
_IS_IGNORED = Q(outcome__in=(IGNORED, IGNORED_BY_STAFF))
_IN_STATE = {
    SubjectState.WAITING: _IS_DUE & Q(attempts=0),
    SubjectState.FAILING: _IS_DUE & Q(attempts__gt=0) & ~_IS_UNKNOWN,
    SubjectState.UNKNOWN: _IS_DUE & Q(attempts__gt=0) & _IS_UNKNOWN,
    SubjectState.IGNORED: ~_IS_DUE & _IS_IGNORED,
    SubjectState.DONE: ~_IS_DUE & ~_IS_IGNORED,
}


class WebhookSubjectQuerySet(models.QuerySet["WebhookSubject"]):
    """Subjects by where they stand."""

    def due(self) -> Self:
        """Return those that wait for a look."""
        return self.filter(_IS_DUE)

    def stuck(self, *, at: datetime) -> Self:
        """Return those that wait for longer than retries and the sweeper explain."""
        return self.due().filter(due_since__lt=at - STUCK_AFTER)

    def in_state(self, state: SubjectState) -> Self:
        """Return those in a state."""
        return self.filter(_IN_STATE[state])


class WebhookSubject(models.Model):
    """A Stripe object that events told of, and the lease of who looks at it.

    `rounds_due` counts events, `rounds_done` how many of them the last look covered:
    an event that arrives during a look causes another. So neither their order nor
    their number matters.
    """

    stripe_object_id = models.CharField(max_length=96, unique=True)
    kind = models.CharField(max_length=60, help_text="Stripe's name of its type.")
    rounds_due = models.BigIntegerField(default=0)
    rounds_done = models.BigIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(
        help_text="When it may be looked at; also when a lease ends."
    )
    due_since = models.DateTimeField(
        null=True, blank=True, help_text="When the oldest round that is due began."
    )
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(
        max_length=40, blank=True, help_text="What the last look led to."
    )

    objects = WebhookSubjectQuerySet.as_manager()

    class Meta:
        """The sweeper looks for rounds that are due."""

        constraints = [
            models.CheckConstraint(
                condition=Q(rounds_done__gte=0, rounds_done__lte=F("rounds_due")),
                name="webhook_subject_rounds",
            ),
            models.CheckConstraint(
                condition=Q(rounds_done=F("rounds_due"), due_since=None)
                | Q(rounds_done__lt=F("rounds_due"), due_since__isnull=False),
                name="webhook_subject_due_since",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="webhook_subject_due",
                condition=Q(rounds_done__lt=F("rounds_due")),
            )
        ]

    def __str__(self) -> str:
        """Return the object's id."""
        return self.stripe_object_id

    @property
    def is_due(self) -> bool:
        """Whether it waits for a look."""
        return self.rounds_done < self.rounds_due

    @property
    def state(self) -> SubjectState:
        """Return where it stands, as `in_state` finds it."""
        if not self.is_due:
            is_ignored = self.outcome in (IGNORED, IGNORED_BY_STAFF)
            return SubjectState.IGNORED if is_ignored else SubjectState.DONE
        if not self.attempts:
            return SubjectState.WAITING
        is_unknown = self.last_error.startswith(UNKNOWN_ACCOUNT)
        return SubjectState.UNKNOWN if is_unknown else SubjectState.FAILING


class WebhookEvent(models.Model):
    """One event from Stripe, stored once. What Stripe said is never altered."""

    stripe_id = models.CharField(max_length=96, unique=True)
    kind = models.CharField(max_length=80, help_text="Stripe's event type.")
    subject = models.ForeignKey(
        WebhookSubject, on_delete=models.PROTECT, related_name="events"
    )
    round = models.BigIntegerField(help_text="Its number among its object's events.")
    api_version = models.CharField(max_length=40, blank=True)
    is_live = models.BooleanField()
    payload = models.JSONField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        """One number an event."""

        constraints = [
            models.UniqueConstraint("subject", "round", name="webhook_event_one_round")
        ]

    def __str__(self) -> str:
        """Return the event's id and type."""
        return f"{self.stripe_id} {self.kind}"
