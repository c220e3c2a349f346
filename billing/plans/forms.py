"""What staff send about drafts of rates, plans and blocks. Times are UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms import DecisionForm, InstantField, MoneyField
from billing.plans.drafts import MAX_BLOCKS, MAX_MONTHS, BlockTerms, PlanTerms
from credits.core.amounts import MAX_CREDITS
from credits.models import RateUnit
from credits.rate_cards import RateLine
from credits.rate_drafts import MAX_PER, MAX_RATE_CREDITS

if TYPE_CHECKING:
    from collections.abc import Mapping


class SeenForm(forms.Form):
    """Which content of a draft was seen: its digest."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)


class StartForm(SeenForm):
    """From when on a draft is to hold."""

    starts_at = InstantField(
        label=_("Begins (UTC)"),
        help_text=_("Empty: when it is published."),
        required=False,
    )


class RateForm(SeenForm):
    """One feature's rate: so many credits for so many units."""

    feature = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("As jobs name it. It cannot be changed later."),
    )
    label = forms.CharField(label=_("Name"), max_length=80)
    unit = forms.ChoiceField(label=_("Counts"), choices=RateUnit.choices)
    credits = forms.IntegerField(
        label=_("Credits"),
        min_value=0,
        max_value=MAX_RATE_CREDITS,
        help_text=_("0: included."),
    )
    per = forms.IntegerField(
        label=_("For every"),
        min_value=1,
        max_value=MAX_PER,
        help_text=_("Milliseconds, of which a minute has 60000; or pieces."),
    )
    shown_per = forms.CharField(
        label=_("Shown per"),
        max_length=40,
        help_text=_("second, minute or 5 minutes; or what one piece is called."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(
        self,
        sent: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any],
    ) -> None:
        """Let a feature that there is keep its code and what it counts."""
        super().__init__(sent, initial=dict(initial))
        for name in ("feature", "unit"):
            self.fields[name].disabled = name in initial

    @property
    def line(self) -> RateLine:
        """Return the rate."""
        fields = RateLine.__dataclass_fields__
        return RateLine(**{name: self.cleaned_data[name] for name in fields})


class PlanTermsForm(StartForm):
    """A plan's amounts."""

    field_order = ("cycle_credits", "month_cents", "year_cents", "starts_at")

    cycle_credits = forms.IntegerField(
        label=_("Credits each month"), min_value=1, max_value=MAX_CREDITS
    )
    month_cents = MoneyField(label=_("Price of a month"))
    year_cents = MoneyField(label=_("Price of a year"), required=False)

    @property
    def terms(self) -> PlanTerms:
        """Return the amounts."""
        fields = PlanTerms.__dataclass_fields__
        return PlanTerms(**{name: self.cleaned_data[name] for name in fields})


class BlockTermsForm(StartForm):
    """What a block is, what it costs, and how many may be bought at once."""

    field_order = (
        *("credits", "cents", "min_blocks", "max_blocks"),
        *("expires_after_months", "starts_at"),
    )

    credits = forms.IntegerField(
        label=_("Credits of a block"), min_value=1, max_value=MAX_CREDITS
    )
    cents = MoneyField(label=_("Price of a block"))
    min_blocks = forms.IntegerField(
        label=_("Fewest in an order"), min_value=1, max_value=MAX_BLOCKS
    )
    max_blocks = forms.IntegerField(
        label=_("Most in an order"), min_value=1, max_value=MAX_BLOCKS
    )
    expires_after_months = forms.IntegerField(
        label=_("Months until they expire"),
        min_value=1,
        max_value=MAX_MONTHS,
        help_text=_("Empty: never."),
        required=False,
    )

    @property
    def terms(self) -> BlockTerms:
        """Return the amounts."""
        fields = BlockTerms.__dataclass_fields__
        return BlockTerms(**{name: self.cleaned_data[name] for name in fields})


class PublishForm(DecisionForm, SeenForm):
    """The word that a draft is to be published as it was shown, and why."""


class PublishRatesForm(PublishForm):
    """Whether customers hear of it, too."""

    tells_customers = forms.BooleanField(
        label=_("Tell customers whose jobs would have cost more, with their figure"),
        required=False,
    )
