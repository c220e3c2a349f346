"""The cards of an account: saving, listing, choosing the one that pays, removing.

They live at Stripe and are asked for each time. Only when they expire is known here
(`card_expiry`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import auditing
from billing import card_expiry, customers, stripe_gateway
from billing.models import AutoReload, CardOnFile, Customer
from billing.models.card_on_file import end_of_card
from billing.plans import subscribing
from billing.reloads import settings as reload_settings

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account, User
    from billing.stripe_gateway import SavedCard

_PAGE_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as its page shows it. `expiry` is the month printed on it, "03/2027"."""

    id: str
    brand: str
    last4: str
    expiry: str
    is_expired: bool
    expires_soon: bool
    is_default: bool
    pays_for_plan: bool
    pays_for_reloads: bool


def cards_of(account: Account, *, at: datetime) -> list[CardRow]:
    """Ask Stripe for the cards of an account, newest first.

    Raises:
        StripeUnavailable: ask again.
    """
    customer = Customer.objects.filter(account=account).first()
    if customer is None:
        return []
    customer_id = customer.stripe_customer_id
    uses = stripe_gateway.card_uses(
        customer_id, subscription_id=_plan_at_stripe(account)
    )
    pinned = _pinned_to_reloads(account)
    return [
        _row(card, uses=uses, pinned=pinned, at=at)
        for card in stripe_gateway.saved_cards(customer_id)
    ]


def open_page(account: Account, *, by: User, form_key: str, at: datetime) -> str:
    """Return the address of Stripe's page where a card is saved; one for each form.

    Raises:
        StripeUnavailable: ask again.
    """
    back = settings.BASE_URL + reverse("billing:cards")
    setup = stripe_gateway.CardSetup(
        account=account.public_id,
        customer_id=customers.customer_id(account, email=by.email, attempt=1, at=at),
        expires_at=at + _PAGE_LIFE,
        success_url=f"{back}?saved={{CHECKOUT_SESSION_ID}}",
        cancel_url=back,
    )
    return stripe_gateway.open_card_setup(setup, key=f"card:{account.pk}:{form_key}")


def note_saved(
    account: Account, session_id: str, *, by: User, at: datetime
) -> SavedCard | None:
    """Return the card that was saved on a page; an account's first one becomes default.

    Raises:
        NotAtStripe: there is no such page.
        StripeUnavailable: ask again.
    """
    customer = Customer.objects.filter(account=account).first()
    customer_id = customer.stripe_customer_id if customer else ""
    saved = stripe_gateway.card_of_setup(session_id, customer_id=customer_id)
    if saved is None:
        return None
    card_expiry.note_card(account, saved)
    plan = _plan_at_stripe(account)
    uses = stripe_gateway.card_uses(customer_id, subscription_id=plan)
    if not uses.default_id and not uses.plan_card_id:
        stripe_gateway.make_default(
            saved.id, customer_id=customer_id, subscription_id=plan
        )
        _note("card.default", account, saved, by=by, at=at)
    return saved


def card_of(account: Account, card_id: str, *, at: datetime) -> CardRow | None:
    """Return one card of an account, None if it has no such card.

    Raises:
        StripeUnavailable: ask again.
    """
    rows = cards_of(account, at=at)
    return next((row for row in rows if row.id == card_id), None)


def make_default(account: Account, card: CardRow, *, by: User, at: datetime) -> None:
    """Let a card pay for the plan and for what else is billed from now on.

    Raises:
        StripeUnavailable: ask again.
    """
    stripe_gateway.make_default(
        card.id,
        customer_id=Customer.objects.get(account=account).stripe_customer_id,
        subscription_id=_plan_at_stripe(account),
    )
    _note("card.default", account, card, by=by, at=at)


def remove(account: Account, card: CardRow, *, by: User, at: datetime) -> None:
    """Forget a card. Auto-reload that charges it is turned off before.

    Raises:
        StripeUnavailable: ask again; auto-reload is off, the card may still be there.
    """
    if card.pays_for_reloads:
        reload_settings.turn_off(account, by=by, at=at, reason="Its card was removed.")
    stripe_gateway.remove_card(card.id)
    CardOnFile.objects.filter(account=account, stripe_card_id=card.id).delete()
    _note("card.removed", account, card, by=by, at=at)


def _row(
    card: SavedCard, *, uses: stripe_gateway.CardUses, pinned: str, at: datetime
) -> CardRow:
    ends_at = end_of_card(card.exp_year, card.exp_month)
    return CardRow(
        id=card.id,
        brand=card_expiry.brand_name(card.brand),
        last4=card.last4,
        expiry=f"{card.exp_month:02}/{card.exp_year}",
        is_expired=ends_at <= at,
        expires_soon=at < ends_at <= at + card_expiry.TOLD_AHEAD,
        is_default=card.id == uses.default_id,
        pays_for_plan=card.id == uses.plan_card_id,
        pays_for_reloads=card.id == pinned,
    )


def _plan_at_stripe(account: Account) -> str:
    subscription = subscribing.live_subscription(account.pk)
    return (subscription and subscription.stripe_subscription_id) or ""


def _pinned_to_reloads(account: Account) -> str:
    auto = AutoReload.objects.filter(account=account, is_on=True).first()
    return auto.stripe_payment_method_id if auto else ""


def _note(
    action: str, account: Account, card: CardRow | SavedCard, *, by: User, at: datetime
) -> None:
    auditing.record(
        action=action,
        actor=by,
        account=account,
        target=f"{card.brand} {card.last4}",
        at=at,
    )
