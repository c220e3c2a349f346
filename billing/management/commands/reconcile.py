"""Compare our books with Stripe's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from billing import portal_clock, stripe_gateway
from billing.models import Break, BreakState
from billing.reconciling import running
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime


class Command(BaseCommand):
    """Prints what differs, and ends with 1 while anything does."""

    help = (
        "Receive what Stripe told and nobody heard, compare our books with Stripe's,"
        " print every break. Exit code 1 while one is open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far back, and whether to repair."""
        parser.add_argument("--since", metavar="2026-03-01T00:00Z", type=_instant)
        parser.add_argument(
            "--repair", action="store_true", help="repair whatever is safe to repair"
        )

    def handle(self, *, since: datetime | None, repair: bool, **_: object) -> None:
        """Run once, here and now."""
        if settings.IS_STRIPE_SANDBOX:
            portal_clock.follow()
        at = now()
        asked = running.ask(since=since, by=None, at=at)
        try:
            done = running.run(asked, repairs_all=repair, at=at)
        except stripe_gateway.BillingError as refused:
            raise CommandError(str(refused), returncode=2) from refused
        self.stdout.write(
            f"{done.compared} objects of Stripe's, {done.missed} events were missed,"
            f" {done.found} breaks, {done.repaired} repaired."
        )
        still_open = Break.objects.filter(state=BreakState.OPEN).order_by("pk")
        for one in still_open:
            self.stderr.write(f"{one.kind} {one.subject}: {one.here} / {one.at_stripe}")
        if still_open:
            raise CommandError(f"{len(still_open)} breaks are open.", returncode=1)


def _instant(text: str) -> datetime:
    instant = parse_datetime(text)
    if instant is None or instant.tzinfo is None:
        raise CommandError(f"{text} is no instant with a time zone.")
    return instant
