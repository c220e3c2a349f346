"""Stripe's test cards: what each does when it is attached or charged.

Source: https://docs.stripe.com/testing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Authentication = Literal["never", "first_use", "always"]
Refunding = Literal["at_once", "later", "fails_later"]
Dispute = Literal["fraudulent", "product_not_received", "inquiry"]


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the issuer says no, in Stripe's words for the customer."""

    code: str
    message: str
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A test card."""

    number: str
    token: str = ""
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    attaches: bool = True
    authentication: Authentication = "never"
    refunding: Refunding = "at_once"
    settles_at_once: bool = False
    dispute: Dispute | None = None
    warns_of_fraud: bool = False


def _declined(
    decline_code: str,
    advice_code: str = "try_again_later",
    network_decline_code: str | None = None,
    message: str = "Your card was declined.",
) -> Decline:
    return Decline(
        "card_declined", message, decline_code, advice_code, network_decline_code
    )


GENERIC = _declined("generic_decline", network_decline_code="01")
INSUFFICIENT_FUNDS = _declined(
    "insufficient_funds",
    network_decline_code="51",
    message="Your card has insufficient funds.",
)
LOST = _declined("lost_card", "do_not_try_again", "41")
STOLEN = _declined("stolen_card", "do_not_try_again", "43")
EXPIRED = Decline("expired_card", "Your card has expired.", param="exp_month")
INCORRECT_CVC = Decline(
    "incorrect_cvc", "Your card's security code is incorrect.", param="cvc"
)
PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
VELOCITY = _declined(
    "card_velocity_exceeded",
    network_decline_code="65",
    message="Your card was declined for making repeated attempts too frequently or"
    " exceeding its amount limit.",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
    network_decline_code="1A",
)
INCORRECT_NUMBER = Decline(
    "incorrect_number", "Your card number is incorrect.", param="number"
)
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test card."
    " For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    "test_mode_live_card",
)

_CARDS = (
    Card("4242424242424242", "visa"),
    Card("4000056655665556", "visa_debit", funding="debit"),
    Card("5555555555554444", "mastercard", brand="mastercard"),
    Card("378282246310005", "amex", brand="amex"),
    Card("4000000000000077", "bypassPending", settles_at_once=True),
    Card("4000000000000002", "chargeDeclined", decline=GENERIC, attaches=False),
    Card("4000000000009995", "chargeDeclinedInsufficientFunds",
         decline=INSUFFICIENT_FUNDS, attaches=False),
    Card("4000000000009987", "chargeDeclinedLostCard", decline=LOST, attaches=False),
    Card("4000000000009979", "chargeDeclinedStolenCard",
         decline=STOLEN, attaches=False),
    Card("4000000000000069", "chargeDeclinedExpiredCard",
         decline=EXPIRED, attaches=False),
    Card("4000000000000127", "chargeDeclinedIncorrectCvc",
         decline=INCORRECT_CVC, attaches=False),
    Card("4000000000000119", "chargeDeclinedProcessingError",
         decline=PROCESSING, attaches=False),
    Card("4000000000006975", "chargeDeclinedVelocityLimitExceeded",
         decline=VELOCITY, attaches=False),
    Card("4000000000000341", "chargeCustomerFail", decline=GENERIC),
    Card("4000002500003155", "authenticationRequiredOnSetup",
         authentication="first_use"),
    Card("4000002760003184", "authenticationRequired", authentication="always"),
    Card("4000000000003220", "threeDSecure2Required", authentication="always"),
    Card("4000000000003063", "threeDSecureRequired", authentication="always"),
    Card("4000008400001629", "threeDSecureRequiredChargeDeclined",
         decline=GENERIC, authentication="always"),
    Card("4000000000003055", "threeDSecureOptional"),
    Card("4000000000007726", "pendingRefund", refunding="later"),
    Card("4000000000005126", "refundFail", refunding="fails_later"),
    Card("4000000000000259", "createDispute", dispute="fraudulent"),
    Card("4000000000002685", "createDisputeProductNotReceived",
         dispute="product_not_received"),
    Card("4000000000001976", "createDisputeInquiry", dispute="inquiry"),
    Card("4000000000005423", "createIssuerFraudRecord", warns_of_fraud=True),
)  # fmt: skip
_BY_NUMBER = {card.number: card for card in _CARDS}
_BY_TOKEN = {card.token: card for card in _CARDS}


def by_number(number: str) -> Card | Decline:
    """Return the test card with this number, or why it is refused."""
    digits = "".join(character for character in number if character.isdigit())
    if card := _BY_NUMBER.get(digits):
        return card
    return NOT_A_TEST_CARD if _passes_luhn(digits) else INCORRECT_NUMBER


def by_token(name: str) -> Card | None:
    """Return the card of `tok_visa`, `pm_card_chargeDeclined`, `pm_card_visa_...`."""
    bare = name.removeprefix("tok_").removeprefix("pm_card_")
    return _BY_TOKEN.get(bare) or _BY_TOKEN.get(bare.removeprefix("visa_"))


def _passes_luhn(digits: str) -> bool:
    doubled = [
        int(digit) * (1 + position % 2) for position, digit in enumerate(digits[::-1])
    ]
    return len(digits) >= 12 and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0
