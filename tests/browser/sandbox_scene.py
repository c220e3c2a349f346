"""Something to see on each page of the sandbox that is no checkout of the portal's."""

from __future__ import annotations

import stripe

BACK = "https://portal.example/"


def pages_at(base_url: str) -> dict[str, str]:
    """Subscribe, fail, refund and dispute; return the pages that show it, by name."""
    v1 = stripe.StripeClient("sk_test_browser", base_addresses={"api": base_url}).v1
    customer = v1.customers.create(
        {
            "email": "ana@acme.example",
            "name": "Ana",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    paid, unpaid = _subscriptions(v1, customer.id)
    portal = v1.billing_portal.sessions.create(
        {"customer": customer.id, "return_url": BACK}
    )
    setup = v1.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer.id,
            "currency": "usd",
            "success_url": BACK,
        }
    )
    return {
        "save a card": str(setup.url),
        "bank": _challenge(v1, customer.id),
        "invoice to pay": _invoice_url(v1, unpaid),
        "invoice paid": _invoice_url(v1, paid),
        "portal": portal.url,
        "portal card": f"{portal.url}/card",
        "portal details": f"{portal.url}/details",
        "portal cancel": f"{portal.url}/cancel?id={paid.id}",
        "payment": _charge_url(v1, base_url, customer.id, "pm_card_visa"),
        "disputed": _charge_url(v1, base_url, customer.id, "pm_card_createDispute"),
        "object": f"{base_url}/control/objects/{customer.id}",
        "control room": base_url,
    }


def _subscriptions(v1, customer: str) -> list[stripe.Subscription]:
    """Return one that is paid, and one whose card failed."""
    price = v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": "Creator"},
            "recurring": {"interval": "month"},
            "unit_amount": 900,
        }
    )
    broken = v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer}
    )
    wanted = {"customer": customer, "items": [{"price": price.id}]}
    return [
        v1.subscriptions.create({**wanted, **extra})
        for extra in ({}, {"default_payment_method": broken.id})
    ]


def _challenge(v1, customer: str) -> str:
    intent = v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": customer,
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
            "return_url": BACK,
        }
    )
    return intent.next_action.redirect_to_url.url


def _invoice_url(v1, subscription: stripe.Subscription) -> str:
    return v1.invoices.retrieve(subscription.latest_invoice).hosted_invoice_url


def _charge_url(v1, base_url: str, customer: str, card: str) -> str:
    intent = v1.payment_intents.create(
        {
            "amount": 1500,
            "currency": "usd",
            "customer": customer,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
        }
    )
    v1.payment_intents.retrieve(intent.id)  # by now the dispute is there
    return f"{base_url}/control/charges/{intent.latest_charge}"
