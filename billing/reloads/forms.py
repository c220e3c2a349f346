"""What people send about auto-reload: checked here, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from accounts.templatetags.units import money
from billing.core.reload_policy import Limits
from credits.core.amounts import MAX_CREDITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from billing.models import AutoReload, BlockOffer
    from billing.stripe_gateway import SavedCard

CENTS = 100
_MOST_CHARGES, _MOST_MONEY = 1_000, 1_000_000


class ReloadForm(forms.Form):
    """When to charge which card, how much, and how often at most."""

    threshold = forms.IntegerField(
        label=_("Reload when fewer credits are available than"),
        min_value=1,  # R57: 0 would never be reached; that is what “off” is for
        max_value=MAX_CREDITS,
    )
    blocks = forms.IntegerField(label=_("Blocks to buy"), min_value=1)
    largest_charge = forms.IntegerField(
        label=_("Largest single charge"),
        min_value=1,
        max_value=_MOST_MONEY,
        help_text=_("When a job needs more than these blocks, up to this is charged."),
    )
    monthly_cap = forms.IntegerField(
        label=_("At most in a cycle month"), min_value=1, max_value=_MOST_MONEY
    )
    monthly_count = forms.IntegerField(
        label=_("Charges in a cycle month, at most"),
        min_value=1,
        max_value=_MOST_CHARGES,
    )
    card = forms.ChoiceField(label=_("Card"), widget=forms.RadioSelect)

    def __init__(
        self,
        sent: Mapping[str, Any] | None = None,
        *,
        offer: BlockOffer,
        cards: Sequence[SavedCard],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        """Offer the saved cards, and take the bounds from the offer in force."""
        super().__init__(sent, initial=dict(initial or {}))
        self._offer = offer
        self._cards = {card.id: card for card in cards}
        choices = [(card.id, card_text(card)) for card in cards]
        self.fields["card"].choices = choices  # type: ignore[attr-defined]
        price, currency = money(offer.cents, offer.currency), offer.currency.upper()
        self.fields["blocks"].validators += [
            MinValueValidator(offer.min_blocks),
            MaxValueValidator(offer.max_blocks),
        ]
        self.fields["blocks"].help_text = _(
            "%(credits)s credits each, for %(price)s."
        ) % {"credits": offer.credits, "price": price}
        self.fields["monthly_cap"].help_text = _(
            "In whole %(currency)s, tax included."
        ) % {"currency": currency}

    @classmethod
    def initial_of(cls, auto: AutoReload | None) -> dict[str, object]:
        """Return settings as this form shows them; modest ones before there are any."""
        if auto is None:
            modest = {"threshold": 300, "blocks": 5, "largest_charge": 50}
            return {**modest, "monthly_cap": 100, "monthly_count": 4}
        return {
            "threshold": auto.threshold,
            "blocks": auto.blocks,
            "largest_charge": auto.largest_charge_cents // CENTS,
            "monthly_cap": auto.monthly_cap_cents // CENTS,
            "monthly_count": auto.monthly_cap_count,
            "card": auto.stripe_payment_method_id,
        }

    def clean(self) -> dict[str, Any]:
        """Refuse limits that contradict each other."""
        sent = super().clean() or self.cleaned_data
        if self.errors:
            return sent
        price = sent["blocks"] * self._offer.cents
        if sent["monthly_cap"] < sent["largest_charge"]:
            self.add_error(
                "monthly_cap", _("Allow at least the largest single charge.")
            )
        if sent["largest_charge"] * CENTS < price:
            self.add_error(
                "largest_charge",
                _("These blocks cost %(price)s: allow at least that.")
                % {"price": money(price, self._offer.currency)},
            )
        return sent

    @property
    def limits(self) -> Limits:
        """Return what was asked for, in credits and cents."""
        sent = self.cleaned_data
        return Limits(
            threshold=sent["threshold"],
            blocks=sent["blocks"],
            largest_charge_cents=sent["largest_charge"] * CENTS,
            monthly_cap_cents=sent["monthly_cap"] * CENTS,
            monthly_cap_count=sent["monthly_count"],
        )

    @property
    def chosen_card(self) -> SavedCard:
        """Return the card that was chosen."""
        return self._cards[self.cleaned_data["card"]]


class AgreeForm(forms.Form):
    """The words that were agreed to, and the settings that they were shown beside."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    agree = forms.BooleanField(
        label=_("I agree to these charges"),
        error_messages={"required": _("Agree to the charges to go on.")},
    )


def card_text(card: SavedCard) -> str:
    """Return a card as people know it."""
    brand = card.brand.replace("_", " ").title()
    return f"{brand} •••• {card.last4}, {card.exp_month:02}/{card.exp_year}"
