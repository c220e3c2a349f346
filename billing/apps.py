"""The billing app."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

# What registers itself: receivers, handlers of Stripe's objects, audits, desks.
_REGISTERED = (
    "audits",
    "desks",
    "handlers",
    "receivers",
    "adjusting.audits",
    "disputes.audits",
    "finance.closing",
    "making_good.audits",
)


class BillingConfig(AppConfig):
    """Registers the app, and what it adds to the apps below."""

    name = "billing"

    def ready(self) -> None:
        """Import what registers itself."""
        for name in _REGISTERED:
            import_module(f"billing.{name}")
