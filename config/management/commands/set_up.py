"""Brings a database, new or old, to where this version of Purser needs it."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

_SECRET = re.compile(r"whsec_\w+")


class Command(BaseCommand):
    """Run the idempotent steps in their order, in one process."""

    help = "Migrate, publish catalogue and rate card; with --demo fill in the demo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what only the demo on one machine needs."""
        parser.add_argument("--demo", action="store_true", help="load the demo data")
        parser.add_argument("--webhook-url", help="where Stripe shall send events")
        parser.add_argument(
            "--webhook-secret-file",
            type=Path,
            help="where the secret goes that Stripe tells once, with the endpoint",
        )

    def handle(
        self,
        *,
        demo: bool,
        webhook_url: str | None,
        webhook_secret_file: Path | None,
        **_: object,
    ) -> None:
        """Do each step; each changes only what is not yet so."""
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        call_command("load_catalogue", stdout=self.stdout)
        call_command("load_rate_card", stdout=self.stdout)
        if demo:
            self._set_up_stripe(webhook_url, webhook_secret_file)
            call_command("load_demo", stdout=self.stdout)

    def _set_up_stripe(self, url: str | None, secret_file: Path | None) -> None:
        told = StringIO()
        call_command("stripe_setup", webhook_url=url, stdout=told)
        secret = _SECRET.search(told.getvalue())
        if secret and secret_file:
            secret_file.touch(mode=0o600)
            secret_file.write_text(secret.group())
