"""What staff send about endpoints."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.models import OutgoingKind
from billing.outgoing.endpoints import AddressRefused, require_safe


class EndpointForm(forms.Form):
    """A new address, and what it is told of."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        error_messages={"required": _("Enter the address.")},
    )
    kinds = forms.MultipleChoiceField(
        label=_("Tell it of"),
        choices=[(kind.value, f"{kind.value}: {kind.label}") for kind in OutgoingKind],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )

    def clean_url(self) -> str:
        """Refuse what nothing may be sent to."""
        url: str = self.cleaned_data["url"]
        try:
            require_safe(url)
        except AddressRefused as refused:
            raise ValidationError(str(refused)) from refused
        return url


class DisableForm(forms.Form):
    """Why nothing is sent to an address for now."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, error_messages={"required": _("Say why.")}
    )


class RemoveForm(forms.Form):
    """The word that an address is to be removed."""

    is_sure = forms.BooleanField(
        label=_("I am sure"),
        error_messages={"required": _("Tick this if you are sure.")},
    )
