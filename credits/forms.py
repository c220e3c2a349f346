"""Forms of the credits app: they validate and do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from credits.models import EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credits.quoting import RateTable

_MAX_MINUTES, _MAX_PIECES = 10_000, 1_000_000


class StatementFilter(forms.Form):
    """Which part of a statement to show. What makes no sense filters nothing."""

    kind = forms.ChoiceField(choices=EntryKind.choices, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class CalculatorForm(forms.Form):
    """So much of one feature: minutes and seconds, or pieces, as its rate counts."""

    feature = forms.ChoiceField(label=_("Feature"))
    minutes = forms.IntegerField(
        label=_("Minutes"), min_value=0, max_value=_MAX_MINUTES, required=False
    )
    # Text, not a number: 4.6 seconds are 4,600 milliseconds, exactly.
    seconds = forms.RegexField(
        r"^\d{1,6}([.,]\d{1,3})?$",
        label=_("Seconds"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": _("Enter seconds such as 12 or 4.6.")},
    )
    pieces = forms.IntegerField(label=_("How many"), min_value=1, max_value=_MAX_PIECES)

    def __init__(self, rates: RateTable, sent: Mapping[str, Any]) -> None:
        """Offer the features of a rate table; ask for what the chosen one counts."""
        self.rate = rates.rate_of(sent.get("feature", "")) or rates.rates[0]
        unused = ("pieces",) if self.rate.is_timed else ("minutes", "seconds")
        asked = {"minutes", "seconds", "pieces"} - set(unused)
        is_filled_in = any(sent.get(name) for name in asked)
        super().__init__(
            sent if is_filled_in else None, initial={"feature": self.rate.feature}
        )
        self.fields["feature"].choices = [  # type: ignore[attr-defined]
            (rate.feature, rate.label) for rate in rates.rates
        ]
        for name in unused:
            del self.fields[name]

    def clean_seconds(self) -> int:
        """Return milliseconds."""
        whole, _, fraction = (
            self.cleaned_data["seconds"].replace(",", ".").partition(".")
        )
        return int(whole or 0) * 1000 + int(fraction.ljust(3, "0"))

    def clean(self) -> dict[str, Any]:
        """Refuse a length of nothing."""
        super().clean()
        if self.rate.is_timed and not self.errors and self.quantity == 0:
            raise ValidationError(_("Enter how long it is."))
        return self.cleaned_data

    @property
    def quantity(self) -> int:
        """Return milliseconds or pieces."""
        sent = self.cleaned_data
        if self.rate.is_timed:
            return (sent["minutes"] or 0) * 60_000 + int(sent["seconds"])
        return int(sent["pieces"])
