"""Make Stripe know the catalogue, and where to send its webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import stripe_gateway
from billing.plans import catalogue
from billing.webhooks.registry import subscribed_events

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Safe to run again: what is at Stripe already is left as it is."""

    help = "Create products, prices and the webhook endpoint at Stripe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the webhook's address: it is not always this machine's."""
        parser.add_argument(
            "--webhook-url",
            help="Also create a webhook endpoint that sends events to this address.",
        )

    def handle(self, *, webhook_url: str | None, **_: object) -> None:
        """Create what is missing and say what that was."""
        try:
            created = [
                price.lookup_key
                for price in catalogue.prices_to_sell()
                if stripe_gateway.ensure_price(price)
            ]
            self.stdout.write(f"Stripe: {len(created)} prices created.")
            if webhook_url:
                self._ensure_endpoint(webhook_url)
        except stripe_gateway.BillingError as error:
            raise CommandError(str(error)) from error

    def _ensure_endpoint(self, url: str) -> None:
        secret = stripe_gateway.ensure_webhook_endpoint(
            url=url, events=subscribed_events()
        )
        if secret is None:
            self.stdout.write(f"Stripe: the webhook endpoint {url} is there.")
        elif secret in settings.STRIPE_WEBHOOK_SECRETS:
            self.stdout.write(f"Stripe: webhook endpoint {url} created.")
        else:
            self.stdout.write(
                f"Stripe: webhook endpoint {url} created. Add this secret to "
                f"STRIPE_WEBHOOK_SECRETS; Stripe shows it only now:\n{secret}"
            )
