"""What staff say about the file that they want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from billing.models import REPORTS, ExportFormat, ExportKind

if TYPE_CHECKING:
    from datetime import date


class ExportForm(forms.Form):
    """A table, its days, and as what kind of file."""

    kind = forms.ChoiceField(label=gettext_lazy("Table"), choices=ExportKind)
    first = forms.DateField(
        label=gettext_lazy("First day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    last = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("File"), choices=ExportFormat, widget=forms.RadioSelect
    )
    account = forms.ModelChoiceField(
        Account.objects.all(),
        label=gettext_lazy("Account"),
        to_field_name="public_id",
        widget=forms.TextInput({"autocomplete": "off"}),
        required=False,
        help_text=gettext_lazy("Its id, such as acc_…; empty: all accounts."),
        error_messages={
            "invalid_choice": gettext_lazy("There is no account with this id.")
        },
    )

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order, and accounts where they make no sense."""
        cleaned = super().clean() or {}
        first: date | None = cleaned.get("first")
        last: date | None = cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("It is before the first day: choose a later one."))
        kind, account = cleaned.get("kind"), cleaned.get("account")
        if kind == ExportKind.STATEMENT and "account" in cleaned and not account:
            self.add_error("account", _("A statement is of one account: say which."))
        if kind in REPORTS and account:
            self.add_error("account", _("This report is of all accounts: name none."))
        return cleaned
