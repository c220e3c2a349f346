"""3-D Secure: which cards want it, and where the customer goes for it.

Source: https://docs.stripe.com/payments/3d-secure/authentication-flow
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from stripe_sandbox.cards import Card
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json


def is_wanted(context: Context, card: Card, method: Json) -> bool:
    """Whether the bank behind a card asks for the customer at its next use."""
    if card.authentication == "first_use":
        return not context.store.notes(method["id"]).get("authenticated")
    return card.authentication == "always"


def note_return_url(context: Context, intent: Json, params: Json) -> None:
    """Remember where a confirmation wants its customer sent after the challenge."""
    context.store.note(intent["id"], return_url=params.get("return_url"))


def next_action(context: Context, intent: Json) -> Json:
    """Send the customer to the challenge, or leave that to Stripe.js."""
    return_url = context.store.notes(intent["id"]).get("return_url")
    if return_url is None:
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect"},
        }
    url = challenge_url(context, intent)
    return {
        "redirect_to_url": {"return_url": return_url, "url": url},
        "type": "redirect_to_url",
    }


def challenge_url(context: Context, intent: Json) -> str:
    """Return the page on which the customer answers the bank."""
    return f"{context.base_url}/3ds/{intent['id']}"


def way_back(context: Context, intent: Json, *, passed: bool) -> str:
    """Return the `return_url` with what Stripe adds to it, or '' if there is none."""
    return_url = context.store.notes(intent["id"]).get("return_url")
    if not return_url:
        return ""
    answer = urlencode(
        {
            intent["object"]: intent["id"],
            f"{intent['object']}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if passed else "failed",
        }
    )
    parts = urlsplit(return_url)
    return parts._replace(query="&".join(filter(None, (parts.query, answer)))).geturl()
