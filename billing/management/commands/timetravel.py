"""Moves the portal and its Stripe sandbox forward in time, and tells what happened."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from billing import happenings, portal_clock, stripe_gateway, time_machine
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser

_SPAN = re.compile(r"(\d+)([dh])")
_LINES = 2_000


class Command(BaseCommand):
    """In sandbox mode only; a worker and beat may go on beside it."""

    help = "Move the clock of the portal and of its Stripe sandbox forward."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to, or how far."""
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--to", help="an instant, as 2027-01-31T00:00Z")
        target.add_argument("--by", help="days or hours, as 40d or 6h")

    def handle(self, *, to: str | None, by: str | None, **_: object) -> None:
        """Travel, and print what happened in order."""
        try:
            portal_clock.follow()
            wanted = _instant(to) if to else now() + _span(by or "")
            journey = time_machine.travel(to=wanted)
        except (ValueError, stripe_gateway.BillingError) as refused:
            raise CommandError(str(refused)) from refused
        for one in happenings.between(journey.since, journey.until, limit=_LINES):
            self.stdout.write(f"{one.at:%Y-%m-%d %H:%M}  {one.account}: {one.text}")
        stops = len(journey.stops)
        self.stdout.write(
            f"It is {journey.until:%Y-%m-%d %H:%M} UTC, {stops} stops on."
        )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} names no time zone; for UTC write {text}Z.")
    return instant


def _span(text: str) -> timedelta:
    parts = _SPAN.fullmatch(text)
    if not parts:
        raise ValueError(f"{text} is no span of time; write 40d or 6h.")
    number, unit = int(parts[1]), parts[2]
    return timedelta(days=number) if unit == "d" else timedelta(hours=number)
