"""What people say about themselves and their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import auditing

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User


@transaction.atomic
def change_profile(*, user: User, name: str, time_zone: str, at: datetime) -> None:
    """Change a user's name and time zone."""
    changes = _apply(user, {"name": name, "time_zone": time_zone})
    if changes:
        auditing.record(
            action="user.changed",
            actor=user,
            target=user.email,
            before={field: old for field, (old, _) in changes.items()},
            after={field: new for field, (_, new) in changes.items()},
            at=at,
        )


@transaction.atomic
def change_account(
    *, account: Account, name: str, billing_email: str, by: User, at: datetime
) -> None:
    """Change an account's name and the address that hears about money."""
    changes = _apply(account, {"name": name, "billing_email": billing_email})
    if changes:
        auditing.record(
            action="account.changed",
            actor=by,
            account=account,
            target=str(account),
            before={field: old for field, (old, _) in changes.items()},
            after={field: new for field, (_, new) in changes.items()},
            at=at,
        )


def _apply(row: User | Account, values: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Set and save the fields that differ; return old and new of each."""
    changes = {
        field: (getattr(row, field), value)
        for field, value in values.items()
        if getattr(row, field) != value
    }
    for field, (_, value) in changes.items():
        setattr(row, field, value)
    if changes:
        row.save(update_fields=list(changes))
    return changes
