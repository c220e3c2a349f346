"""The add-ons page: one offer, a number of blocks, and what the two come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.core.periods import add_months

if TYPE_CHECKING:
    from datetime import datetime

    from billing.forms import BlocksForm
    from billing.models import BlockOffer


@dataclass(frozen=True, slots=True)
class AddOns:
    """What is sold and what was asked for. An answer that makes no sense counts as 1.

    `typed` is what stands in the field, sense or not.
    """

    offer_version: int
    block_credits: int
    block_cents: int
    currency: str
    min_blocks: int
    max_blocks: int
    expires_at: datetime | None
    blocks: int
    typed: str
    errors: tuple[str, ...]

    @property
    def credits(self) -> int:
        """Return the credits in all these blocks."""
        return self.blocks * self.block_credits

    @property
    def cents(self) -> int:
        """Return what they cost."""
        return self.blocks * self.block_cents


def add_ons_of(form: BlocksForm, offer: BlockOffer, *, at: datetime) -> AddOns:
    """Return the page for a sent form; bought now, credits end at `expires_at`."""
    form.is_valid()
    months = offer.expires_after_months
    return AddOns(
        offer_version=offer.version,
        block_credits=offer.credits,
        block_cents=offer.cents,
        currency=offer.currency,
        min_blocks=offer.min_blocks,
        max_blocks=offer.max_blocks,
        expires_at=add_months(at, months) if months else None,
        blocks=form.cleaned_data.get("blocks", offer.min_blocks),
        typed=str(form.data.get("blocks", "")),
        errors=tuple(str(error) for error in form.errors.get("blocks", ())),
    )
