"""Exports in every state, as their page shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.models import User
from billing.exporting import asking, running
from billing.exporting.tables import period
from billing.models import Export, ExportFormat, ExportKind, ExportState
from config.clock import now

if TYPE_CHECKING:
    from accounts.models import Account
    from config.demo.people import Person

Arguments = dict[str, tuple[object, ...]]


def exports_of(person: Person, account: Account) -> Arguments:
    """Let somebody have asked for files, and each have come to another point."""
    user, at = User.objects.get(email=person.email), now()
    lease = {"state": ExportState.RUNNING, "lease_ends_at": at + timedelta(days=1)}
    changes = {
        "waiting": {},
        "counting": lease,
        "running": lease | {"rows_done": 412_000, "rows_total": 1_250_300},
        "failed": {
            "state": ExportState.FAILED,
            "finished_at": at,
            "error": "It could not be made (OSError).",
        },
        "canceled": {"state": ExportState.CANCELED, "finished_at": at},
    }
    made = {name: _export(user, **change) for name, change in changes.items()}
    for name in ("ready", "deleted"):
        made[name] = _export(user, account)
        running.run(export_id=made[name].pk, clock=now)
    deleted = Export.objects.filter(pk=made["deleted"].pk)
    deleted.update(state=ExportState.EXPIRED, file_name="")
    return {name: (export.public_id,) for name, export in made.items()}


def _export(user: User, account: Account | None = None, **change: object) -> Export:
    at = now()
    since, until = period((at - timedelta(days=40)).date(), at.date())
    export = asking.ask(
        kind=ExportKind.STATEMENT if account else ExportKind.LEDGER,
        format=ExportFormat.XLSX if account else ExportFormat.CSV,
        since=since,
        until=until,
        account=account,
        by=user,
        at=at,
    )
    if change:
        Export.objects.filter(pk=export.pk).update(**change)
    return export
