"""Let an address of the product's backend be told of things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from billing.models import OutgoingKind
from billing.outgoing import endpoints, signing
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Print the new endpoint's secret, this once."""

    help = "Send webhooks to an address and print the secret that signs them, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address, and what it hears of."""
        parser.add_argument("url")
        parser.add_argument("kinds", nargs="+", choices=OutgoingKind.values)

    def handle(self, *, url: str, kinds: list[str], **_: object) -> None:
        """Add it; only the secret itself goes to standard output."""
        try:
            endpoint = endpoints.add(url=url, kinds=set(kinds), by=None, at=now())
        except endpoints.AddressRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stderr.write(f"{endpoint}: keep the secret now, it is shown only here.")
        self.stdout.write(signing.current_secret(endpoint))
