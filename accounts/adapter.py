"""How allauth behaves here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # untyped base
    """Allauth's own ways, with the portal's address and help in each e-mail."""

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """Send at once, not through the outbox: these links are secrets."""
        values = {
            "base_url": settings.BASE_URL,
            "support_email": settings.SUPPORT_EMAIL,
        }
        super().send_mail(template_prefix, email, {**context, **values})
