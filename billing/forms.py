"""What people send: checked here, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from billing.models import BlockOffer

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,30}")


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


class BuyBlocksForm(BlocksForm):
    """An order: also of which offer, and the key that makes a double click one."""

    offer = forms.IntegerField(widget=forms.HiddenInput)
    form_key = forms.RegexField(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput)
