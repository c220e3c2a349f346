"""What people do with exports: ask for one, cancel it, fetch its file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction

from accounts import auditing
from billing.exporting import running
from billing.models import UNFINISHED, Export, ExportFormat, ExportKind, ExportState

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User

# A link may stay in a history or a log: for this long it is worth something, and then
# only to whom it was made for, signed in.
LINK_LASTS = timedelta(hours=1)
_signer = TimestampSigner(salt="billing.export")


@transaction.atomic(durable=True)
def ask(
    *,
    kind: ExportKind,
    format: ExportFormat,  # noqa: A002 - as the model's field
    since: datetime,
    until: datetime,
    account: Account | None,
    by: User,
    at: datetime,
) -> Export:
    """Ask for a file, which a worker then makes. The period is half-open, in UTC."""
    export = Export.objects.create(
        kind=kind,
        format=format,
        since=since,
        until=until,
        account=account,
        requested_by=by,
        asked_at=at,
    )
    after = {
        "kind": kind,
        "format": format,
        "since": since.isoformat(),
        "until": until.isoformat(),
    }
    auditing.record(
        action="export.asked",
        actor=by,
        account=account,
        target=export.public_id,
        after=after,
        at=at,
    )
    return export


def cancel(export: Export, *, by: User, at: datetime) -> bool:
    """Give an export up, and say whether there was still something to give up.

    Who is making it notices within two seconds.
    """
    with transaction.atomic(durable=True):
        unfinished = Export.objects.filter(pk=export.pk, state__in=UNFINISHED)
        is_canceled = unfinished.update(
            state=ExportState.CANCELED, lease_ends_at=None, finished_at=at
        )
        if is_canceled:
            target = export.public_id
            auditing.record(action="export.canceled", actor=by, target=target, at=at)
    return bool(is_canceled)


def link_of(export: Export, *, reader: User) -> str:
    """Return what only its reader may fetch the file with, for an hour."""
    return _signer.sign_object([export.public_id, reader.pk])


def is_link_of(link: str, export: Export, *, reader: User) -> bool:
    """Whether a link is for this file and this reader, and still holds."""
    try:
        named = _signer.unsign_object(link, max_age=LINK_LASTS)
    except BadSignature:
        return False
    return bool(named == [export.public_id, reader.pk])


def note_fetched(export: Export, *, by: User, at: datetime) -> None:
    """Write down who took the file away."""
    auditing.record(
        action="export.fetched",
        actor=by,
        account=export.account,
        target=export.public_id,
        after={"sha256": export.sha256},
        at=at,
    )


def delete_expired(*, limit: int, at: datetime) -> int:
    """Delete files whose time is over; what they were stays known."""
    over = Export.objects.filter(state=ExportState.READY, expires_at__lte=at)
    expired = list(over.order_by("expires_at", "pk")[:limit])
    for export in expired:
        running.storage().delete(export.file_name)
        still = Export.objects.filter(pk=export.pk, state=ExportState.READY)
        still.update(state=ExportState.EXPIRED, file_name="")
    return len(expired)
