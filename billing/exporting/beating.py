"""The heartbeat of a worker that makes an export: from a thread beside its work."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from django.db import DatabaseError, connection

from billing.models import Export, ExportState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.exporting.progress import Progress

log = structlog.get_logger(__name__)

# Many beats long: one that fails, or a slow database, costs no lease.
LEASE = timedelta(seconds=30)
_BEAT_S = 1


def still_ours(export: Export) -> QuerySet[Export]:
    """Return the row while it is this worker's: not canceled, not another attempt's."""
    return Export.objects.filter(
        pk=export.pk, state=ExportState.RUNNING, attempts=export.attempts
    )


@contextmanager
def beating(
    export: Export, progress: Progress, clock: Callable[[], datetime]
) -> Iterator[None]:
    """Tell every second how far the block is; stop it once it is no longer wanted.

    What the block asks the database is interrupted then; the rest finds out by
    `progress`. The thread has a connection of its own: the block's is in a snapshot.

    Raises:
        Stopped: it was stopped.
    """
    connection.ensure_connection()
    working, is_over = connection.connection, Event()

    def beat() -> None:
        try:
            while not is_over.wait(_BEAT_S):
                if not _tell(export, progress, at=clock()):
                    progress.is_stopped = True
                    working.cancel_safe()
                    return
        finally:
            connection.close()

    thread = Thread(target=beat, name=f"export {export.public_id}", daemon=True)
    thread.start()
    try:
        yield
    except Exception:
        # What was interrupted fails with whatever the database says of it.
        progress.check()
        raise
    finally:
        is_over.set()
        thread.join()
    progress.check()


def _tell(export: Export, progress: Progress, *, at: datetime) -> bool:
    rows, total = progress.rows, progress.total
    try:
        told = still_ours(export).update(
            rows_done=rows, rows_total=total, lease_ends_at=at + LEASE
        )
    except DatabaseError:
        log.warning("export_beat_failed", export=export.public_id, exc_info=True)
        return True  # nobody has said that it is not wanted
    return bool(told)
