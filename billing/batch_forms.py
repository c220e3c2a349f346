"""What staff send about files of adjustments and incidents that are made good."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.bulk_adjusting.reading import MOST_BYTES
from billing.forms import InstantField
from billing.making_good import Incident
from billing.models import SHORTEST_COMMENT
from credits.models import WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence


class UploadForm(forms.Form):
    """A file of adjustments, and a name that makes it another one than before."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX, up to 10,000 rows and 5 MB."),
        widget=forms.FileInput({"accept": ".csv,.xlsx"}),
        error_messages={"required": _("Choose a file.")},
    )
    name = forms.CharField(
        label=_("Name"),
        help_text=_("To make the same file once more, give it another name."),
        max_length=120,
        required=False,
    )

    def clean_file(self) -> bytes:
        """Return what is in it."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB: split it."))
        content: bytes = file.read()
        return content


class CommentForm(forms.Form):
    """Why so much is changed at once, for staff."""

    comment = forms.CharField(
        label=_("Comment"),
        help_text=_("For staff and the audit trail, at least 10 characters."),
        min_length=SHORTEST_COMMENT,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )
    ticket = forms.CharField(label=_("Ticket"), max_length=120, required=False)


class MakeGoodForm(CommentForm):
    """Why an incident is made good, and what customers are told."""

    field_order = ("customer_note", "comment", "ticket")

    customer_note = forms.CharField(
        label=_("Note for customers"),
        help_text=_("On their statements, and in one e-mail to each account."),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": _("Tell the customers what happened.")},
    )


class IncidentForm(forms.Form):
    """What failed, and when."""

    features = forms.MultipleChoiceField(
        label=_("What failed"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one feature.")},
    )
    starts_at = InstantField(label=_("From (UTC)"))
    ends_at = InstantField(
        label=_("Until (UTC)"),
        help_text=_("Jobs of this very minute are not included."),
    )
    reference_prefix = forms.CharField(
        label=_("References begin with"),
        help_text=_("Of the jobs that failed, if not all did."),
        max_length=120,
        required=False,
    )
    unit = forms.ChoiceField(label=_("Of which credits"), choices=WalletUnit)

    def __init__(self, features: Sequence[tuple[str, str]], *args: object) -> None:
        """Offer features, by code and label."""
        super().__init__(*args)  # type: ignore[arg-type] # data or nothing
        self.fields["features"].choices = features  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """Refuse a span that ends before it begins."""
        sent: dict[str, object] = super().clean() or {}
        starts_at, ends_at = sent.get("starts_at"), sent.get("ends_at")
        if not (isinstance(starts_at, datetime) and isinstance(ends_at, datetime)):
            return sent
        if ends_at <= starts_at:
            self.add_error(
                "ends_at", _("It ends before it begins: choose a later end.")
            )
        return sent

    @property
    def incident(self) -> Incident:
        """Return what was said."""
        sent = self.cleaned_data
        return Incident(
            features=tuple(sorted(sent["features"])),
            starts_at=sent["starts_at"],
            ends_at=sent["ends_at"],
            unit=WalletUnit(sent["unit"]),
            reference_prefix=sent["reference_prefix"],
        )
