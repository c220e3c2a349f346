"""What staff prepare before it is published: open, then published or withdrawn."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.public_ids import new_public_id


class DraftState(models.TextChoices):
    """What became of a draft. Once it is closed, it never changes."""

    OPEN = "OPEN", _("Open")
    PUBLISHED = "PUBLISHED", _("Published")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


def new_draft_id() -> str:
    """Return a public id for a new draft."""
    return new_public_id("dft")


class Draft(models.Model):
    """A version to come: who drafted it, from when it holds, and who closed it."""

    public_id = models.CharField(max_length=32, unique=True, default=new_draft_id)
    state = models.CharField(max_length=10, choices=DraftState, default=DraftState.OPEN)
    starts_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: when it is published."
    )
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Whoever closes a draft is known, and when."""

        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(state=DraftState.OPEN, closed_at=None, closed_by=None)
                | Q(
                    state__in=[DraftState.PUBLISHED, DraftState.WITHDRAWN],
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                ),
                name="%(class)s_closed_means_closed",
            )
        ]

    audited_as: ClassVar[str]

    def __str__(self) -> str:
        """Return what it follows."""
        return f"{self.public_id} after {self.follows}"

    @property
    def follows(self) -> str:
        """Return the version that it is to follow; each kind of draft says which."""
        raise NotImplementedError

    @property
    def content(self) -> dict[str, Any]:
        """Return all that would be published, as JSON; each kind of draft says what."""
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed."""
        return self.state == DraftState.OPEN

    @property
    def digest(self) -> str:
        """Return what tells this content from any other: what was seen is published."""
        said = self.content | {"starts_at": str(self.starts_at)}
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
