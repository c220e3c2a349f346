"""What people say about themselves and their account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import auditing

if TYPE_CHECKING:
    from accounts.models import Account, User


@dataclass(frozen=True, slots=True)
class Today:
    """The day that it is in a zone: as half-open span, with 23 to 25 hours (R16)."""

    time_zone: str
    now: datetime
    starts_at: datetime
    ends_at: datetime

    @property
    def hours(self) -> int:
        """Return how long it is, in whole hours."""
        return (self.ends_at - self.starts_at) // timedelta(hours=1)


def today_in(time_zone: str, *, at: datetime) -> Today:
    """Return the day of an instant in a zone: what usage of today is counted on."""
    zone = ZoneInfo(time_zone)
    date = at.astimezone(zone).date()
    midnights = (
        datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
        for day in (date, date + timedelta(days=1))
    )
    return Today(time_zone, at, *midnights)


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
    *,
    account: Account,
    name: str,
    billing_email: str,
    country: str,
    time_zone: str,
    by: User,
    at: datetime,
) -> None:
    """Change an account's name, billing address, country (an ISO code) and zone.

    The zone decides which day usage is counted on (R16), also of days gone by.
    """
    asked = {
        "name": name,
        "billing_email": billing_email,
        "country": country,
        "time_zone": time_zone,
    }
    changes = _apply(account, asked)
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
