"""What staff send about breaks."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_EVERYTHING = 0


class RunForm(forms.Form):
    """How far back to look."""

    days = forms.TypedChoiceField(
        label=_("Look at"),
        coerce=int,
        choices=[
            (3, _("the last 3 days")),
            (30, _("the last 30 days")),
            (_EVERYTHING, _("everything")),
        ],
    )


class NoteForm(forms.Form):
    """Who looks after a break, and what they know of it."""

    is_mine = forms.BooleanField(label=_("I look after it"), required=False)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class IgnoreBreakForm(forms.Form):
    """Why a break stays as it is."""

    reason = forms.CharField(
        label=_("Why it may stay as it is"),
        max_length=500,
        error_messages={"required": _("Say why it may stay.")},
    )
