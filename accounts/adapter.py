"""How allauth behaves here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


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

    def get_reauthentication_methods(
        self, user: User | AnonymousUser
    ) -> list[dict[str, Any]]:
        """Return how somebody may prove again who they are, the first one first.

        Staff with a second factor need it: a password alone moves no money.
        """
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [one for one in methods if one["id"].startswith("mfa_")]
        return factors if user.is_staff and factors else methods
