"""The account that the keys belong to."""

from __future__ import annotations

from stripe_sandbox.contract.objects import fill
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json

ACCOUNT_ID = "acct_1PurserSandbox01"
BUSINESS_NAME = "Purser Demo"


@operation("GET", "/v1/account")
def retrieve(context: Context, params: Json) -> Json:
    """Return the account of the secret key."""
    values: Json = {
        "id": ACCOUNT_ID,
        "business_profile": {"name": BUSINESS_NAME, "url": context.base_url},
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@purser.example",
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": BUSINESS_NAME}},
        "type": "standard",
    }
    return fill("account", values)
