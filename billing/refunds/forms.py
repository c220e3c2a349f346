"""What staff send about refunds and ending plans."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms import DecisionForm, MoneyField
from billing.refunds.refunding import Extent


class RefundForm(forms.Form):
    """How much of a payment is to go back, in cents for AMOUNT."""

    extent = forms.ChoiceField(
        label=_("How much"),
        choices=[
            (Extent.UNSPENT, _("What is unspent")),
            (Extent.ALL, _("All that is left: what was used is then owed")),
            (Extent.AMOUNT, _("Another amount")),
        ],
        widget=forms.RadioSelect,
    )
    amount = MoneyField(
        label=_("Another amount"),
        help_text=_("The credits follow the money, in proportion."),
        required=False,
    )

    def clean(self) -> dict[str, object]:
        """Refuse another amount that is not said."""
        sent: dict[str, object] = super().clean() or {}
        if sent.get("extent") == Extent.AMOUNT and not sent.get("amount"):
            self.add_error("amount", _("Say how much."))
        return sent

    @property
    def extent_asked(self) -> Extent:
        """Return how much is asked for."""
        return Extent(self.cleaned_data["extent"])

    @property
    def cents(self) -> int:
        """Return the amount in cents; 0: none is said."""
        return self.cleaned_data["amount"] or 0


class ShownForm(forms.Form):
    """What was shown before: what is confirmed has to be the same (R37)."""

    shown = forms.CharField(max_length=300)
    form_key = forms.CharField(max_length=64)


class CancelForm(DecisionForm):
    """Whether the money for unspent credits goes back when a plan ends now, and why."""

    field_order = ("with_refund", "reason", "is_sure")

    with_refund = forms.TypedChoiceField(
        label=_("What becomes of unspent credits"),
        choices=[("no", _("They are forfeited")), ("yes", _("Their price goes back"))],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )
