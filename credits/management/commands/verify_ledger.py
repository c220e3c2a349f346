"""Proves that the ledger is right, or says what is wrong with it."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from credits import audits


class Command(BaseCommand):
    """Run every check; exit with 1 when any has a finding."""

    help = "Check the ledger's invariants. Exit code 1 when one is broken."

    def handle(self, **_: object) -> None:
        """Print each finding under the name of its check."""
        findings = audits.verify()
        for finding in findings:
            self.stderr.write(f"{finding.check}: {finding.text}")
        if findings:
            raise CommandError(f"{len(findings)} findings.", returncode=1)
        self.stdout.write(f"{len(audits.names())} checks, no findings.")
