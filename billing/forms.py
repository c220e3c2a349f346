"""What people send: checked here, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from billing.core.transitions import Family, Move
from billing.models import SubjectState
from billing.stripe_gateway import MAX_CENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing.changes.previewing import Preview
    from billing.models import BlockOffer

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,30}")
_MINUTE = "%Y-%m-%dT%H:%M"
_AMOUNT = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,2}))?")


class WholeNumberField(forms.IntegerField):
    """A number in plain digits: no fractions, exponents or separators."""

    default_error_messages = {"invalid": _("Enter a whole number of blocks.")}

    def to_python(self, value: object) -> int | None:
        """Return the number.

        Raises:
            ValidationError: it is written in any other way.
        """
        text = str(value or "").strip()
        if text and not _WHOLE_NUMBER.fullmatch(text):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(text)


class MoneyField(forms.CharField):
    """An amount as people type it, 12.50, and in whole cents for us: never a float."""

    widget = forms.TextInput({"inputmode": "decimal"})
    default_error_messages = {
        "required": _("Type an amount like 12.50."),
        "invalid": _("Type an amount like 12.50."),
        "too_much": _("Type an amount of at most 999999.99."),
    }

    def clean(self, value: object) -> int | None:
        """Return cents; None: nothing was typed.

        Raises:
            ValidationError: it is no amount, or more than Stripe can charge.
        """
        text = super().clean(value)
        if not text:
            return None
        amount = _AMOUNT.fullmatch(text)
        if amount is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        whole, fraction = amount.groups("")
        cents = int(whole) * 100 + int(fraction.ljust(2, "0"))
        if cents > MAX_CENTS:
            raise ValidationError(self.error_messages["too_much"], code="too_much")
        return cents

    def prepare_value(self, value: object) -> object:
        """Return cents as they are typed; what was typed stays as it was."""
        return f"{value // 100}.{value % 100:02}" if isinstance(value, int) else value


class InstantField(forms.CharField):
    """A day and a time in UTC, to the minute."""

    widget = forms.TextInput({"type": "datetime-local"})
    default_error_messages = {
        "required": _("Choose a day and a time."),
        "invalid": _("Choose a day and a time."),
    }

    def clean(self, value: object) -> datetime | None:
        """Return the instant; None: nothing was typed.

        Raises:
            ValidationError: it is none.
        """
        text = super().clean(value)
        if not text:
            return None
        try:
            return datetime.strptime(text[:16], _MINUTE).replace(tzinfo=UTC)
        except ValueError as invalid:
            message = self.error_messages["invalid"]
            raise ValidationError(message, code="invalid") from invalid

    def prepare_value(self, value: object) -> object:
        """Return an instant as browsers show it; what was typed stays as it was."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).strftime(_MINUTE)
        return value


class BlocksForm(forms.Form):
    """How many blocks."""

    blocks = WholeNumberField(
        label=_("Blocks"), error_messages={"required": _("Enter a number of blocks.")}
    )

    def __init__(self, sent: Mapping[str, str], *, offer: BlockOffer) -> None:
        """Take the bounds from the offer that is in force."""
        super().__init__(sent)
        self.fields["blocks"].validators += [
            MinValueValidator(
                offer.min_blocks,
                ngettext_lazy(
                    "Buy at least %(limit_value)s block.",
                    "Buy at least %(limit_value)s blocks.",
                    offer.min_blocks,
                ),
            ),
            MaxValueValidator(
                offer.max_blocks,
                _("Buy at most %(limit_value)s blocks at once."),
            ),
        ]


class DecisionForm(forms.Form):
    """A decision that is not taken back: why, and the word that it is meant."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("For the audit trail."),
        error_messages={"required": _("Say why.")},
    )
    is_sure = forms.BooleanField(
        label=_("I am sure: this cannot be undone"),
        error_messages={"required": _("Tick this if you are sure.")},
    )


class ConfirmChangeForm(forms.Form):
    """A change of plan as it was shown, and the words that were agreed to."""

    form_key = forms.RegexField(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Why are you leaving?"),
        help_text=_("It helps us, and changes nothing for you."),
        max_length=300,
        required=False,
    )
    typed = forms.CharField(label=_("Name of your plan"), max_length=60, required=False)
    agree = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Agree to the renewal to go on.")},
    )

    def __init__(
        self, sent: Mapping[str, str] | None = None, *, previewed: Preview
    ) -> None:
        """Ask for what this change needs: an agreement, a reason, the plan's name."""
        super().__init__(sent, initial={"form_key": uuid4().hex})
        self._plan_name = previewed.old.plan.name
        if previewed.move is Move.CANCEL:
            del self.fields["agree"]
        if previewed.old.plan.family == Family.LEGACY:
            self.fields["typed"].required = True
            self.fields["typed"].help_text = _("Type “%(name)s” to leave it.") % {
                "name": self._plan_name
            }
        else:
            del self.fields["typed"]

    def clean_typed(self) -> str:
        """Return the name of the plan that is left for good (R34).

        Raises:
            ValidationError: it is another one.
        """
        typed = str(self.cleaned_data["typed"])
        if typed.strip().casefold() != self._plan_name.casefold():
            raise ValidationError(_("This is not the name of your plan."))
        return typed


class BuyBlocksForm(BlocksForm):
    """An order: also of which offer, and the key that makes a double click one."""

    offer = forms.IntegerField(widget=forms.HiddenInput)
    form_key = forms.RegexField(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput)


class TravelForm(forms.Form):
    """How far the clock is to be moved: by a step, or to a date."""

    step = forms.ChoiceField(
        choices=[(step, step) for step in ("day", "renewal", "month", "date")]
    )
    date = forms.DateField(
        label=_("To the beginning of a day, in UTC"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, sent: Mapping[str, str] | None = None) -> None:
        """Ask for a date, unless a step says how far."""
        super().__init__(sent)
        self.fields["date"].required = not sent or sent.get("step") == "date"


class AddCardForm(forms.Form):
    """The key that makes a double click one page."""

    form_key = forms.RegexField(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput)


class InboxFilter(forms.Form):
    """Which of the objects that Stripe told of are listed."""

    state = forms.ChoiceField(
        choices=SubjectState.choices, required=False, widget=forms.HiddenInput
    )
    kind = forms.ChoiceField(label=_("Kind of object"), required=False)
    named = forms.CharField(
        label=_("Id of an object or event"), max_length=96, required=False
    )
    before = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)

    def __init__(self, sent: Mapping[str, str], *, kinds: Iterable[str]) -> None:
        """Offer the kinds that somebody looks at."""
        super().__init__(sent)
        kind = cast("forms.ChoiceField", self.fields["kind"])
        kind.choices = [("", _("All")), *((each, each) for each in kinds)]


class IgnoreForm(forms.Form):
    """Why something is let be."""

    reason = forms.CharField(label=_("Reason"), min_length=5, max_length=300)
