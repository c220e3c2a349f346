"""The billing app."""

from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Registers the app, and what it adds to the apps below."""

    name = "billing"

    def ready(self) -> None:
        """Import what registers itself: receivers, webhook handlers, audits."""
        from billing import audits, receivers  # noqa: F401, PLC0415
        from billing.webhooks import handlers  # noqa: F401, PLC0415
