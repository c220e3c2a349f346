"""What several resources share: metadata, money, addresses."""

from __future__ import annotations

from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox

CARD_MINIMUM_CENTS = 50
AMOUNT_MAX = 99_999_999
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def metadata(given: Json | str | None, before: Json | None = None) -> Json:
    """Merge metadata: an empty value unsets its key, an empty string all of them."""
    if isinstance(given, str):
        return {}
    merged = (before or {}) | (given or {})
    return {key: value for key, value in merged.items() if value != ""}


def updated(before: Json, params: Json, *names: str) -> Json:
    """Return the named parameters that were sent; an empty string becomes null."""
    values = {name: params[name] for name in names if name in params}
    values = {name: None if v == "" else v for name, v in values.items()}
    if "metadata" in params:
        values["metadata"] = metadata(params["metadata"], before["metadata"])
    return values


def address(given: Json | None) -> Json | None:
    """Return an address with all its parts."""
    return {part: given.get(part) for part in _ADDRESS} if given else None


def dollars(amount: int) -> str:
    """Return an amount as Stripe prints it in messages: `$15.00`."""
    return f"${amount // 100:,}.{amount % 100:02}"


def check_amount(amount: int, currency: str, *, param: str = "amount") -> None:
    """Refuse what no card can be charged.

    Raises:
        ApiError: below 50 cents, or more than eight digits.
    """
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=param,
        )
    if amount < CARD_MINIMUM_CENTS:
        raise ApiError(
            f"Amount must be at least {dollars(CARD_MINIMUM_CENTS)} {currency}",
            code="amount_too_small",
            param=param,
        )
    if amount > AMOUNT_MAX:
        raise ApiError(
            f"Amount must be no more than {dollars(AMOUNT_MAX)}",
            code="amount_too_large",
            param=param,
        )


def refuse_unsupported(where: str, params: Json, supported: frozenset[str]) -> None:
    """Refuse a parameter of Stripe's that the sandbox would have to ignore.

    Raises:
        ApiError: naming the first such parameter.
    """
    for name in sorted(params.keys() - supported):
        raise not_in_the_sandbox(f"`{name}` on {where}")
