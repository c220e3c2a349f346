"""Write a table to a file, as the pages for exports do."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import auditing
from accounts.models import Account
from billing import portal_clock
from billing.exporting.progress import Progress
from billing.exporting.tables import Wanted, period
from billing.exporting.writing import write
from billing.models import ExportFormat, ExportKind
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser

_STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    """Makes the file at once, in this process: complete, or not at all."""

    help = (
        "Export a table of the days from --from to --to, both included, as finance"
        " counts days. The file appears when it is complete."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What pages ask for, and where to."""
        kinds = [kind.lower() for kind in ExportKind.values]
        parser.add_argument("kind", choices=kinds)
        parser.add_argument("--from", dest="first", required=True, type=_day)
        parser.add_argument("--to", dest="last", required=True, type=_day)
        parser.add_argument("--account", metavar="acc_…", help="of it alone")
        parser.add_argument("--format", choices=["csv", "xlsx"], default="csv")
        parser.add_argument("--output", help="a file, or - for standard output")

    def handle(
        self,
        *,
        kind: str,
        first: date,
        last: date,
        account: str | None,
        output: str | None,
        **options: str,
    ) -> None:
        """Write the file, and say how many rows it has and what its checksum is."""
        if settings.IS_STRIPE_SANDBOX:
            portal_clock.follow()
        if first > last:
            raise CommandError("--to is before --from")
        found = _account(account)
        if kind.upper() == ExportKind.STATEMENT and not found:
            raise CommandError("A statement is of one account: say --account")
        since, until = period(first, last)
        wanted = Wanted(
            kind=ExportKind(kind.upper()),
            format=ExportFormat(options["format"].upper()),
            since=since,
            until=until,
            account_id=found.pk if found else None,
        )
        _note(wanted, found)
        self._write(wanted, output or wanted.file_name)

    def _write(self, wanted: Wanted, output: str) -> None:
        progress = Progress()
        if output == _STANDARD_OUTPUT:
            write(wanted, sys.stdout.buffer, progress=progress)
            return
        path = Path(output)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                write(wanted, file, progress=progress)
                sha256 = _sha256(file)
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink()
                raise
        self.stdout.write(f"{path}: {progress.rows} rows, SHA-256 {sha256}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise CommandError(f"{text} is no day such as 2026-03-31") from wrong


def _account(public_id: str | None) -> Account | None:
    if public_id is None:
        return None
    try:
        return Account.objects.get(public_id=public_id)
    except Account.DoesNotExist as unknown:
        raise CommandError(f"There is no account {public_id}") from unknown


def _note(wanted: Wanted, account: Account | None) -> None:
    auditing.record(
        action="export.asked",
        actor="manage.py export",
        account=account,
        target=wanted.file_name,
        at=now(),
    )


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
