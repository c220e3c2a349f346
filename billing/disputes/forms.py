"""What staff send about disputes and fraud warnings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_LONGEST_NOTE = 5_000


class AnswerForm(forms.Form):
    """What is added to our evidence, and the word that it goes to the bank now."""

    note = forms.CharField(
        label=_("What the bank should know besides"),
        help_text=_("Goes to the bank word by word, with the evidence on this page."),
        max_length=_LONGEST_NOTE,
        required=False,
        widget=forms.Textarea({"rows": 4}),
    )
    is_sure = forms.BooleanField(
        label=_("Hand it in now: evidence can be handed in once"),
        error_messages={"required": _("Tick this to hand the evidence in.")},
    )
