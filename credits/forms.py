"""Forms of the credits app: they validate and do nothing else."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    validate_email,
)
from django.utils.translation import gettext_lazy as _

from accounts.templatetags import units
from credits.as_of import Figure
from credits.core.amounts import MAX_CREDITS
from credits.models import ALERTS_LISTED, EXPIRY_DAYS, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.functional import Promise

    from credits.models import AlertSettings
    from credits.quoting import RateTable

_MAX_MINUTES, _MAX_PIECES = 10_000, 1_000_000
# Not every kind: what is rare, and has no index, would be searched for a long time.
_SHOWN_KINDS = (EntryKind.GRANT, EntryKind.SPEND, EntryKind.EXPIRE)


class StatementFilter(forms.Form):
    """Which part of a statement to show. What makes no sense filters nothing."""

    kind = forms.TypedChoiceField(
        choices=[(kind, kind.label) for kind in _SHOWN_KINDS],
        coerce=EntryKind,
        required=False,
    )
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


class CapForm(forms.Form):
    """How many credits a member may use."""

    credits = forms.IntegerField(
        label=_("Credits"),
        min_value=0,
        max_value=MAX_CREDITS,
        help_text=_("A job that needs more is refused. 0 stops all jobs that cost."),
    )


class UsageRange(forms.Form):
    """Which days: the last so many, the cycle, or from one date to another."""

    LAST_DAYS = ("7", "14", "30", "90")
    USUAL = "30"
    CYCLE = "cycle"
    MAX_DAYS = 366
    EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)

    range = forms.CharField(required=False, max_length=5, widget=forms.HiddenInput)

    def __init__(self, sent: Mapping[str, Any]) -> None:
        """Ask for `from` and `to` too: the first is a word of Python."""
        super().__init__(sent)
        for name, label in (("from", _("From")), ("to", _("To"))):
            self.fields[name] = forms.DateField(
                label=label,
                required=False,
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                validators=[
                    MinValueValidator(self.EARLIEST),
                    MaxValueValidator(self.LATEST),
                ],
            )

    def clean(self) -> dict[str, Any]:
        """Refuse half a range, a range that ends before it begins, and years."""
        sent = super().clean() or self.cleaned_data
        first, last = sent.get("from"), sent.get("to")
        if self.errors:
            return sent
        if bool(first) != bool(last):
            self.add_error("to" if first else "from", _("Enter both dates."))
        elif first and last and last < first:
            self.add_error("to", _("Enter a date that is not before the first."))
        elif first and last and (last - first).days >= self.MAX_DAYS:
            self.add_error("to", _("Choose at most a year."))
        return sent

    @property
    def is_custom(self) -> bool:
        """Whether two dates were sent that make a range."""
        return bool(self.cleaned_data.get("from") and self.cleaned_data.get("to"))


class StatementPeriod(UsageRange):
    """Which period: a month, a cycle, or from one date to another, however long.

    `entries` asks for it as it was when the wallet had so many.
    """

    LAST_CYCLE = "last"
    MAX_DAYS = (UsageRange.LATEST - UsageRange.EARLIEST).days + 1

    month = forms.ChoiceField(label=_("Month"), required=False)
    entries = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)

    def __init__(
        self, sent: Mapping[str, Any], *, months: Iterable[tuple[str, str]]
    ) -> None:
        """Offer months, as 2026-03 and in words."""
        super().__init__(sent)
        self.fields["month"].choices = [*months]  # type: ignore[attr-defined]


class UsageFilter(forms.Form):
    """One feature, one member, or all; what is asked for stays on offer."""

    feature = forms.ChoiceField(label=_("Feature"), required=False)
    member = forms.ChoiceField(label=_("Member"), required=False)

    def __init__(
        self,
        sent: Mapping[str, Any],
        *,
        features: Iterable[tuple[str, str]],
        members: Iterable[tuple[str, str]],
    ) -> None:
        """Offer what was used in the range, and what the address names."""
        super().__init__(sent)
        self._offer("feature", _("All features"), features)
        self._offer("member", _("All members"), members)

    def _offer(
        self, name: str, everything: Promise, choices: Iterable[tuple[str, str]]
    ) -> None:
        offered: dict[str, str | Promise] = {"": everything, **dict(choices)}
        asked = self.data.get(name, "")
        offered.setdefault(asked, asked)
        self.fields[name].choices = [*offered.items()]  # type: ignore[attr-defined]


class AsOfForm(forms.Form):
    """An instant of a wallet's past, what was known at another, what to explain of it.

    Instants without an offset are of the time zone that is active while it is checked.
    """

    SHOWN = "%Y-%m-%dT%H:%M:%S"
    _INSTANT = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"})

    at = forms.DateTimeField(label=_("As of"), required=False, widget=_INSTANT)
    known = forms.DateTimeField(label=_("As known at"), required=False, widget=_INSTANT)
    figure = forms.TypedChoiceField(
        choices=[(one, one) for one in Figure],
        coerce=Figure,
        required=False,
        widget=forms.HiddenInput,
    )
    grant = forms.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput
    )
    kind = forms.TypedChoiceField(
        choices=EntryKind, coerce=EntryKind, required=False, widget=forms.HiddenInput
    )
    before = forms.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput
    )


class Lines(forms.CharField):
    """A short list, one member a line."""

    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})

    def clean(self, value: str) -> list[str]:
        """Return the lines that say anything, without repetitions."""
        written = [line.strip() for line in super().clean(value).splitlines()]
        lines = [*dict.fromkeys(filter(None, written))]
        if len(lines) > ALERTS_LISTED:
            raise ValidationError(
                _("Enter at most %(most)s lines."), params={"most": ALERTS_LISTED}
            )
        return lines


class AlertForm(forms.Form):
    """Of what an account is warned, and who is told beside its own people."""

    thresholds = Lines(
        label=_("Warn when fewer credits are available than"),
        required=False,
        help_text=_("One amount a line, up to 10. Each is told once in a cycle."),
    )
    expiry_days = forms.TypedMultipleChoiceField(
        label=_("Warn before credits expire"),
        coerce=int,
        choices=[
            (days, _("1 day before") if days == 1 else _("%d days before") % days)
            for days in EXPIRY_DAYS
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    emails = Lines(
        label=_("Also tell"),
        required=False,
        help_text=_("One e-mail address a line, up to 10. Owners are told anyway."),
    )

    _GROUPED = re.compile(r"\d{1,3}(?:[, ]\d{3})+|\d+", re.ASCII)

    @classmethod
    def initial_of(cls, settings: AlertSettings) -> dict[str, object]:
        """Return settings as this form shows them."""
        return {
            "thresholds": "\n".join(map(units.credits, settings.thresholds)),
            "expiry_days": settings.expiry_days,
            "emails": "\n".join(settings.emails),
        }

    def clean_thresholds(self) -> list[int]:
        """Return whole credits."""
        return [self._amount(line) for line in self.cleaned_data["thresholds"]]

    def clean_emails(self) -> list[str]:
        """Return addresses in lower case, as users have them."""
        emails = [line.lower() for line in self.cleaned_data["emails"]]
        for email in emails:
            self._check_email(email)
        return emails

    def _amount(self, line: str) -> int:
        digits = re.sub("[, ]", "", line) if self._GROUPED.fullmatch(line) else "0"
        if not 0 < (amount := int(digits[:20])) <= MAX_CREDITS:
            raise ValidationError(
                _("“%(line)s” is not a number of credits, such as 500."),
                params={"line": line[:40]},
            )
        return amount

    @staticmethod
    def _check_email(email: str) -> None:
        try:
            validate_email(email)
        except ValidationError as invalid:
            raise ValidationError(
                _("“%(line)s” is not an e-mail address."), params={"line": email[:80]}
            ) from invalid
