"""Making the file of an export: by one worker at a time, whole or not at all.

A worker takes a lease and renews it every second, when it also tells how far it is and
hears whether the file is still wanted. Who dies loses the lease, and the next one
begins anew, in a new snapshot. The row's change to READY is what makes a file exist:
it has its attempt's own name, so that no one ever reads what another left half done.
"""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import structlog
from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.notifying import notify
from billing.exporting.beating import LEASE, beating, still_ours
from billing.exporting.progress import Progress, Stopped
from billing.exporting.tables import Wanted
from billing.exporting.writing import write
from billing.models import Export, ExportFormat, ExportKind, ExportState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.core.files.storage import Storage

log = structlog.get_logger(__name__)

# How long a file is kept, and after what time people are told by mail.
KEPT, LONG = timedelta(days=7), timedelta(seconds=30)
_MOST_ATTEMPTS = 3


def storage() -> Storage:
    """Return where files are kept: what the setting says, never a worker's own disk."""
    return storages["exports"]


def due_exports(*, limit: int, at: datetime) -> list[int]:
    """Return exports that nobody is making, those that have waited longest first."""
    due = Export.objects.filter(_nobodys(at)).order_by("asked_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def wanted_of(export: Export) -> Wanted:
    """Return which table an export is of."""
    return Wanted(
        kind=ExportKind(export.kind),
        format=ExportFormat(export.format),
        since=export.since,
        until=export.until,
        account_id=export.account_id,
    )


def run(*, export_id: int, clock: Callable[[], datetime]) -> None:
    """Make the file of an export, unless it is made, canceled, or being made.

    Call it in no transaction. Its lease has to be renewed meanwhile, hence the clock.
    """
    export = _claim(export_id, at=clock())
    if export is None:
        return
    discard(export, attempt=export.attempts - 1)
    if export.attempts > _MOST_ATTEMPTS:
        why = _("Whoever made it was interrupted three times.")
        _end(export, at=clock(), state=ExportState.FAILED, error=why)
        return
    try:
        _make(export, clock)
    except Stopped:
        log.info("export_stopped", export=export.public_id)
        discard(export, attempt=export.attempts)
    except Exception as failure:
        log.exception("export_failed", export=export.public_id)
        discard(export, attempt=export.attempts)
        why = _("It could not be made (%(why)s).") % {"why": type(failure).__name__}
        _end(export, at=clock(), state=ExportState.FAILED, error=why)


def discard(export: Export, *, attempt: int) -> None:
    """Delete what an attempt may have stored."""
    storage().delete(_stored_name(export, attempt))


def _nobodys(at: datetime) -> Q:
    is_left = Q(state=ExportState.RUNNING, lease_ends_at__lte=at)
    return Q(state=ExportState.ASKED) | is_left


@transaction.atomic(durable=True)
def _claim(export_id: int, *, at: datetime) -> Export | None:
    found = Export.objects.select_for_update(skip_locked=True).filter(_nobodys(at))
    export = found.filter(pk=export_id).first()
    if export is None:
        return None
    export.state = ExportState.RUNNING
    export.attempts += 1
    export.lease_ends_at = at + LEASE
    export.rows_done, export.rows_total = 0, None
    export.save()
    return export


def _make(export: Export, clock: Callable[[], datetime]) -> None:
    progress = Progress()
    # It has no name, so nothing is left of it however this process ends.
    with TemporaryFile() as file, beating(export, progress, clock):
        write(wanted_of(export), file, progress=progress)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        progress.check()
        name = storage().save(_stored_name(export, export.attempts), File(file))
    at = clock()
    is_ours = _end(
        export,
        at=at,
        state=ExportState.READY,
        rows_done=progress.rows,
        rows_total=progress.rows,
        file_name=name,
        size=size,
        sha256=sha256,
        expires_at=at + KEPT,
    )
    if not is_ours:
        raise Stopped


def _stored_name(export: Export, attempt: int) -> str:
    return f"{export.public_id}-{attempt}.{export.format.lower()}"


@transaction.atomic(durable=True)
def _end(export: Export, *, at: datetime, **outcome: object) -> bool:
    """Write down what became of it, unless it is no longer ours."""
    took_long = at - export.asked_at > LONG
    mailed_at = at if took_long else None
    is_ours = still_ours(export).update(
        finished_at=at, lease_ends_at=None, mailed_at=mailed_at, **outcome
    )
    if is_ours and took_long:
        _tell(export, at=at)
    return bool(is_ours)


def _tell(export: Export, *, at: datetime) -> None:
    export.refresh_from_db()
    notify(
        kind="export_finished",
        key=f"export_finished:{export.pk}",
        recipients=[export.requested_by.email],
        context={"export": export},
        at=at,
    )
