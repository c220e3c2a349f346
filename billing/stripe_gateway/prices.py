"""Products and prices: known by their lookup keys, never by Stripe's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from billing.stripe_gateway.connection import (
    BillingError,
    NotAtStripe,
    StripeUnavailable,
    client,
    translated_errors,
)

if TYPE_CHECKING:
    from stripe.params import PriceCreateParams


MAX_CENTS = 99_999_999  # Stripe's largest charge


class PriceMissing(StripeUnavailable):
    """A price of the catalogue is not at Stripe yet: run `manage.py stripe_setup`."""


class PriceDiffers(BillingError):
    """Stripe has a price of this key at another amount, which no price can change."""


@dataclass(frozen=True, slots=True)
class PriceToSell:
    """A price as the catalogue has it; without an interval it is paid once."""

    lookup_key: str
    product_id: str
    product_name: str
    unit_cents: int
    currency: str
    interval: Literal["month", "year"] | None = None


def price_id(lookup_key: str) -> str:
    """Return Stripe's id of an active price.

    Raises:
        PriceMissing: there is none.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.prices.list({"lookup_keys": [lookup_key], "active": True})
    if not found.data:
        message = f"Stripe has no price “{lookup_key}”: run manage.py stripe_setup."
        raise PriceMissing(message)
    return found.data[0].id


def ensure_price(price: PriceToSell) -> bool:
    """Create a price and, when it is missing, its product; say whether it was new.

    Raises:
        PriceDiffers: the key is taken, at another amount.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.prices.list({"lookup_keys": [price.lookup_key]}).data
    if not found:
        _ensure_product(price)
        with translated_errors():
            client().v1.prices.create(_params(price))
        return True
    there = (found[0].unit_amount, found[0].currency)
    if there != (price.unit_cents, price.currency):
        message = (
            f"Stripe has “{price.lookup_key}” at {there[0]} {there[1]}, the catalogue "
            f"at {price.unit_cents} {price.currency}: publish a new version instead."
        )
        raise PriceDiffers(message)
    return False


def _ensure_product(price: PriceToSell) -> None:
    products = client().v1.products
    try:
        with translated_errors():
            products.retrieve(price.product_id)
    except NotAtStripe:
        with translated_errors():
            products.create({"id": price.product_id, "name": price.product_name})


def _params(price: PriceToSell) -> PriceCreateParams:
    params: PriceCreateParams = {
        "product": price.product_id,
        "lookup_key": price.lookup_key,
        "unit_amount": price.unit_cents,
        "currency": price.currency,
    }
    if price.interval:
        params["recurring"] = {"interval": price.interval}
    return params
