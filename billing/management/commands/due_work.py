"""Tell whether what has to happen by itself happens in time."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import portal_clock
from billing.console import due_work
from config.clock import now


class Command(BaseCommand):
    """Prints what waits of each chore; ends with 1 while any is late."""

    help = (
        "Print how much waits for each background job, and for how long."
        " Exit code 1 while anything is late, as on /staff/jobs/."
    )

    def handle(self, **_: object) -> None:
        """Look once."""
        if settings.IS_STRIPE_SANDBOX:
            portal_clock.follow()
        found = [due for due in due_work.due_work(at=now()) if due.number]
        for due in found:
            state = "LATE" if due.is_late else "on time"
            self.stdout.write(f"{due.chore.name}: {due.number}, {due.oldest}, {state}")
        if late := sum(due.is_late for due in found):
            raise CommandError(f"{late} background jobs are late.", returncode=1)
