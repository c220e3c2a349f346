"""What staff send to the console: what they look for, and what they do in the queue."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import WorkState


class FindForm(forms.Form):
    """What something is looked for by."""

    q = forms.CharField(max_length=200, required=False)


class JobForm(forms.Form):
    """Which job's movements are looked for."""

    job = forms.CharField(
        label=_("Reference of a job, or id of its hold"), max_length=120, required=False
    )


class TakeForm(forms.Form):
    """Who was shown to have an item, when somebody takes it."""

    owner = forms.IntegerField(required=False)


class WorkNoteForm(forms.Form):
    """What is known of an item."""

    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class CloseForm(forms.Form):
    """How an item is closed, and why."""

    state = forms.ChoiceField(
        label=_("What becomes of it"),
        choices=[
            (WorkState.DONE, _("Done: it opens again if it is seen again")),
            (WorkState.IGNORED, _("Ignore it, however often it is seen")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("What was done, or why it may stay"),
        min_length=5,
        max_length=500,
        error_messages={"required": _("Say what was done, or why it may stay.")},
    )
