"""The billing app."""

from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Registers the app, and what it adds to the apps below."""

    name = "billing"

    def ready(self) -> None:
        """Import what registers itself: receivers, webhook handlers, audits, desks."""
        from billing import (  # noqa: PLC0415
            audits,  # noqa: F401
            closing,  # noqa: F401
            desks,  # noqa: F401
            dispute_audits,  # noqa: F401
            receivers,  # noqa: F401
        )
        from billing.adjusting import audits as adjustment_audits  # noqa: F401, PLC0415
        from billing.making_good import audits as batch_audits  # noqa: F401, PLC0415
        from billing.webhooks import handlers  # noqa: F401, PLC0415
