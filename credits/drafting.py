"""What drafts of rates and of offers share: locked as they were seen, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext as _

from accounts import auditing
from credits.models import Draft

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

D = TypeVar("D", bound=Draft)


class DraftRefused(Exception):
    """A draft cannot become what was asked for; the message says why."""


class DraftMoved(DraftRefused):
    """The draft is not what was shown: somebody else has changed or closed it."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(_("Something has changed. Check it again."))


def locked(draft: D, seen: str | None = None) -> D:
    """Return an open draft, its row locked until the commit.

    Raises:
        DraftMoved: it is closed, or its content is not what was seen.
    """
    rows = type(draft)._default_manager
    row = rows.select_for_update(no_key=True).get(pk=draft.pk)
    if not row.is_open or seen not in {None, row.digest}:
        raise DraftMoved
    return row


def record(
    what: str,
    draft: Draft,
    *,
    by: User,
    at: datetime,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    """Write down what became of a draft, in the transaction that does it."""
    auditing.record(
        action=f"{draft.audited_as}.{what}",
        actor=by,
        target=f"{draft.public_id} ({draft.follows})",
        before=before,
        after=after,
        reason=reason,
        at=at,
    )
