"""Proves that the ledger is right, or says what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError, CommandParser

from credits import audits, history

if TYPE_CHECKING:
    from collections.abc import Mapping


class Command(BaseCommand):
    """Run every check; exit with 1 when any has a finding."""

    help = "Check the ledger's invariants. Exit code 1 when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file that remembers history from run to run."""
        parser.add_argument(
            "--digest",
            type=Path,
            metavar="FILE",
            help="also check that history is what it was at the last good run, which"
            " FILE remembers; it is written when there are no findings",
        )

    def handle(self, *, digest: Path | None = None, **_: object) -> None:
        """Print each finding under the name of its check."""
        findings = audits.verify()
        if digest and digest.exists():
            findings += history.verify(_read(digest))
        for finding in findings:
            self.stderr.write(f"{finding.check}: {finding.text}")
        if findings:
            raise CommandError(f"{len(findings)} findings.", returncode=1)
        if digest:
            _write(digest, history.digest())
        self.stdout.write(f"{len(audits.names())} checks, no findings.")


def _read(file: Path) -> dict[int, history.Digest]:
    recorded = json.loads(file.read_text(encoding="utf-8"))
    return {int(wallet): history.Digest(*digest) for wallet, digest in recorded.items()}


def _write(file: Path, digests: Mapping[int, history.Digest]) -> None:
    # In one step: a run that is cut short leaves the last good digest as it was.
    draft = file.with_name(f"{file.name}.new")
    content = {wallet: astuple(digest) for wallet, digest in digests.items()}
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)
