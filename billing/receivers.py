"""What follows when something happens in the apps below."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Account
from billing import subscribing
from config.clock import now


@receiver(post_save, sender=Account)
def give_a_wallet(*, instance: Account, created: bool, raw: bool, **_: object) -> None:
    """Open the wallet of a new account, under the terms of Free."""
    if created and not raw:
        subscribing.push_terms(instance.pk, at=now())
