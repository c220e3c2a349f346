"""Giving money back. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from billing.stripe_gateway.connection import (
    BillingError,
    client,
    translated_errors,
)
from billing.stripe_gateway.reading import id_of, instant, noted

if TYPE_CHECKING:
    from datetime import datetime

_PAGE = 100


class RefundRefused(BillingError):
    """Stripe will not return this amount of this payment. Its sentence says why."""


@dataclass(frozen=True, slots=True)
class StripeRefund:
    """Money on its way back. `status` is Stripe's own word, `refund` our row's id.

    `failure` says why it failed; a refund can fail after it had succeeded.
    """

    id: str
    status: str
    amount_cents: int
    currency: str
    payment_intent_id: str
    refund: str
    failure: str
    created_at: datetime


def make_refund(
    payment_intent_id: str, *, cents: int, refund: str, key: str
) -> StripeRefund:
    """Give money of a payment back; `refund` names our row in Stripe's books.

    Raises:
        RefundRefused: nothing was moved, and asking again will not help.
        StripeUnavailable: ask again with the same key.
    """
    try:
        with translated_errors():
            made = client().v1.refunds.create(
                {
                    "payment_intent": payment_intent_id,
                    "amount": cents,
                    "metadata": {"refund": refund},
                },
                {"idempotency_key": key},
            )
    except stripe.InvalidRequestError as refused:
        raise RefundRefused(refused.user_message or str(refused)) from refused
    return _read(made)


def refund(refund_id: str) -> StripeRefund:
    """Return a refund as it stands.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        return _read(client().v1.refunds.retrieve(refund_id))


def refunds_of(payment_intent_id: str) -> list[StripeRefund]:
    """Return all refunds of a payment, oldest first.

    Raises:
        StripeUnavailable: ask again.
    """
    return _listed({"payment_intent": payment_intent_id, "limit": _PAGE})


def refunds_of_charge(charge_id: str) -> list[StripeRefund]:
    """Return all refunds of a charge, oldest first.

    Raises:
        StripeUnavailable: ask again.
    """
    return _listed({"charge": charge_id, "limit": _PAGE})


def _listed(params: stripe.params.RefundListParams) -> list[StripeRefund]:
    with translated_errors():
        listed = client().v1.refunds.list(params)
        found = [_read(each) for each in listed.auto_paging_iter()]
    return found[::-1]


def _read(found: stripe.Refund) -> StripeRefund:
    return StripeRefund(
        id=found.id,
        status=found.status or "",
        amount_cents=found.amount,
        currency=found.currency,
        payment_intent_id=id_of(found.payment_intent),
        refund=noted(found.metadata, "refund"),
        # Only a refund that has failed has this field.
        failure=noted(found, "failure_reason"),
        created_at=instant(found.created),
    )
