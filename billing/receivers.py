"""What follows when something happens in the apps below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Account
from billing import subscribing
from config.clock import now

if TYPE_CHECKING:
    from collections.abc import Collection


@receiver(post_save, sender=Account)
def tell_the_wallet(
    *,
    instance: Account,
    created: bool,
    raw: bool,
    update_fields: Collection[str] | None,
    **_: object,
) -> None:
    """Open the wallet of a new account; another country has other free videos."""
    has_moved = "country" in (update_fields or ())
    if (created or has_moved) and not raw:
        subscribing.push_terms(instance.pk, at=now())
