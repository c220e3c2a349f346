"""Bring in legacy plans and their packs of premium credits from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from billing.subscriptions import legacy
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Safe to run again: what is here already is left as it is."""

    help = "Bring in legacy plans and packs: all rows of a CSV file, or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path, help=", ".join(legacy.COLUMNS))
        parser.add_argument("--dry-run", action="store_true", help="Only check it.")

    def handle(self, *, file: Path, dry_run: bool, **_: object) -> None:
        """Bring in the rows and say how many changed something."""
        try:
            rows = legacy.read(file.read_text(encoding="utf-8").splitlines())
        except (OSError, legacy.RowRefused) as refused:
            raise CommandError(str(refused)) from refused
        imported = legacy.bring_in(rows, dry_run=dry_run, at=now())
        if imported.errors:
            raise CommandError("\n".join(["Nothing was changed.", *imported.errors]))
        what = "would change" if dry_run else "changed"
        self.stdout.write(f"Legacy: {imported.changed} of {len(rows)} rows {what}.")
