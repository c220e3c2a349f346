"""Telling accounts on Free of a later offer of free videos, when its day has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from billing.models import FreeVideoNews
from billing.plans import catalogue, subscribing
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from datetime import datetime


def tell_free_videos(*, limit: int, at: datetime) -> int:
    """Tell up to `limit` wallets what Free gives now, once each; return how many.

    Wallets that are opened later know it from the start. Being told twice harms none.

    Source: docs/rules.md R106.
    """
    offer = catalogue.free_videos_in_force(at=at)
    if offer is None:
        return 0
    news, _ = FreeVideoNews.objects.get_or_create(offer=offer)
    if news.told_up_to is None:
        return 0
    wallets = Wallet.objects.filter(
        unit=WalletUnit.CREDITS, free_videos__isnull=False, pk__gt=news.told_up_to
    )
    found = list(wallets.order_by("pk").values_list("pk", "account_id")[:limit])
    for _wallet_id, account_id in found:
        _tell(account_id, at)
    news.told_up_to = found[-1][0] if len(found) == limit else None
    news.save()
    return len(found)


@transaction.atomic
def _tell(account_id: int, at: datetime) -> None:
    # Locked, so that older terms never overwrite newer ones.
    Account.objects.select_for_update(no_key=True).get(pk=account_id)
    subscribing.push_terms(account_id, at=at)
