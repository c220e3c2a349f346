"""Publishes the rate card of the file. Idempotent: run it at each deployment."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from config.clock import now
from credits import rate_cards


class Command(BaseCommand):
    """Read the file, publish what is new, refuse what was edited."""

    help = "Publish the rate card of credits/rate_card.toml."

    def handle(self, **_: object) -> None:
        """Publish each rate plan's card."""
        for card in rate_cards.read():
            try:
                is_new = rate_cards.publish(card, at=now())
            except rate_cards.PublishedCardEdited as edited:
                raise CommandError(str(edited)) from edited
            state = "published" if is_new else "was published before"
            self.stdout.write(
                f"Rate card {card.version} of “{card.rate_plan}”"
                f" ({len(card.lines)} rates) {state}."
            )
