"""Cards that come to their end: known from Stripe's events, told once in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts import notifying
from billing import reload_states
from billing.models import AutoReload, CardOnFile, Customer
from billing.models.card_on_file import end_of_card
from billing.reloads import settings as reload_settings

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Account
    from billing.stripe_gateway import AttachedCard, SavedCard

TOLD_AHEAD = timedelta(days=30)
_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "eftpos_au": "Eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
}


def brand_name(brand: str) -> str:
    """Return what people call a brand of cards, from Stripe's word for it."""
    return _BRANDS.get(brand, brand.replace("_", " ").capitalize())


@transaction.atomic
def follow_card(attached: AttachedCard, *, at: datetime) -> str:
    """Record a card as Stripe knows it now: saved, changed by its bank, or removed.

    Auto-reload goes with its card: off without it, resumed when the bank sent a new
    one in its place (R51).
    """
    card = attached.card
    if not attached.customer_id:
        return _forget(card, at=at)
    customer = Customer.objects.filter(stripe_customer_id=attached.customer_id)
    known = customer.select_related("account").first()
    if known is None:
        return "not ours"
    note_card(known.account, card)
    _renew_pinned(known.account, card, at=at)
    return "card noted"


def note_card(account: Account, card: SavedCard) -> None:
    """Record when a card of an account ends; a new end will be told anew."""
    ends_at = end_of_card(card.exp_year, card.exp_month)
    known, is_new = CardOnFile.objects.get_or_create(
        stripe_card_id=card.id,
        defaults={
            "account": account,
            "brand": brand_name(card.brand),
            "last4": card.last4,
            "expires_at": ends_at,
        },
    )
    if not is_new and (known.expires_at, known.last4) != (ends_at, card.last4):
        known.expires_at, known.last4, known.told_at = ends_at, card.last4, None
        known.save()


@transaction.atomic
def tell_expiring(*, limit: int, at: datetime) -> int:
    """Tell of cards whose last 30 days have begun, each once; return how many."""
    due = (
        cards_to_tell(at=at)
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("account")
    )
    cards = list(due[:limit])
    for card in cards:
        _tell(card, at=at)
        card.told_at = at
        card.save(update_fields=["told_at"])
    return len(cards)


def cards_to_tell(*, at: datetime) -> QuerySet[CardOnFile]:
    """Return the cards that end soon and were not told of, the nearest first."""
    ending = CardOnFile.objects.filter(
        told_at=None, expires_at__gt=at, expires_at__lte=at + TOLD_AHEAD
    )
    return ending.order_by("expires_at")


def _tell(card: CardOnFile, *, at: datetime) -> None:
    notifying.notify(
        kind="card_expires",
        key=f"card_expires:{card.stripe_card_id}:{card.expires_at:%Y-%m}",
        recipients=notifying.billing_recipients(card.account),
        context={
            "card": card,
            "last_day": card.expires_at - timedelta(days=1),
            "cards_url": settings.BASE_URL + reverse("billing:cards"),
        },
        account=card.account,
        at=at,
    )


def _forget(card: SavedCard, *, at: datetime) -> str:
    CardOnFile.objects.filter(stripe_card_id=card.id).delete()
    pinned = AutoReload.objects.filter(stripe_payment_method_id=card.id, is_on=True)
    for auto in pinned.select_related("account"):
        reload_settings.turn_off(
            auto.account, by="stripe", at=at, reason="Its card was removed."
        )
    return "card removed"


def _renew_pinned(account: Account, card: SavedCard, *, at: datetime) -> None:
    auto = reload_states.locked(account.pk)
    if auto is None or auto.stripe_payment_method_id != card.id:
        return
    auto.card_fingerprint, auto.card_last4 = card.fingerprint, card.last4
    auto.card_exp_month, auto.card_exp_year = card.exp_month, card.exp_year
    auto.save(
        update_fields=[
            *("card_fingerprint", "card_last4"),
            *("card_exp_month", "card_exp_year"),
        ]
    )
    if auto.suspended_at and card.fingerprint != auto.failed_fingerprint:
        reload_states.resume(auto, reason="The bank replaced the card.", at=at)
