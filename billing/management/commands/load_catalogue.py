"""Publish the plans and the block offer of `billing/catalogue.toml`."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.plans import catalogue


class Command(BaseCommand):
    """Safe to run again: what is published already is left as it is."""

    help = "Publish the plans and the block offer of billing/catalogue.toml."

    def handle(self, **_: object) -> None:
        """Publish what is new and say how much that was."""
        try:
            published = catalogue.publish(catalogue.read(), currency=settings.CURRENCY)
        except catalogue.PublishedOfferEdited as edited:
            raise CommandError(str(edited)) from edited
        self.stdout.write(
            f"Catalogue: {published} new versions published."
            if published
            else "Catalogue: everything is published already."
        )
