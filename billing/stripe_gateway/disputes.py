"""Disputes and early fraud warnings: what a bank says against a payment."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import stripe

from billing.stripe_gateway.connection import (
    BillingError,
    client,
    translated_errors,
)
from billing.stripe_gateway.reading import expanded, id_of, instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


class DisputeIsOver(BillingError):
    """The bank has decided, or takes no more evidence."""


@dataclass(frozen=True, slots=True)
class StripeDispute:
    """A dispute as it stands. `status` and `reason` are Stripe's own words."""

    id: str
    status: str
    reason: str
    payment_intent_id: str
    amount_cents: int
    currency: str
    opened_at: datetime
    evidence_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class StripeWarning:
    """An early fraud warning, and whether its charge is wholly refunded by now."""

    id: str
    fraud_type: str
    payment_intent_id: str
    is_actionable: bool
    is_refunded: bool
    opened_at: datetime


def dispute(dispute_id: str) -> StripeDispute:
    """Return a dispute.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.disputes.retrieve(dispute_id)
    return StripeDispute(
        id=found.id,
        status=found.status,
        reason=found.reason,
        payment_intent_id=id_of(found.payment_intent),
        amount_cents=found.amount,
        currency=found.currency,
        opened_at=instant(found.created),
        evidence_due_at=instant(found.evidence_details.due_by),
    )


def fraud_warning(warning_id: str) -> StripeWarning:
    """Return an early fraud warning.

    Raises:
        NotAtStripe: there is none of this id.
        StripeUnavailable: ask again.
    """
    with translated_errors():
        found = client().v1.radar.early_fraud_warnings.retrieve(
            warning_id, {"expand": ["charge"]}
        )
    charge = expanded(found.charge, stripe.Charge)
    return StripeWarning(
        id=found.id,
        fraud_type=found.fraud_type,
        payment_intent_id=id_of(found.payment_intent),
        is_actionable=found.actionable,
        is_refunded=bool(charge and charge.refunded),
        opened_at=instant(found.created),
    )


def submit_evidence(dispute_id: str, evidence: Mapping[str, str], *, key: str) -> None:
    """Hand evidence in at the bank, once and for all; names are Stripe's.

    Raises:
        DisputeIsOver: it takes no more.
        StripeUnavailable: ask again with the same key.

    Source: https://docs.stripe.com/disputes/responding
    """
    told = cast("stripe.params.DisputeUpdateParamsEvidence", dict(evidence))
    with _refused_when_over(), translated_errors():
        client().v1.disputes.update(
            dispute_id, {"evidence": told, "submit": True}, {"idempotency_key": key}
        )


def close_dispute(dispute_id: str, *, key: str) -> None:
    """Give a dispute up: it is lost.

    Raises:
        DisputeIsOver: it was decided before.
        StripeUnavailable: ask again with the same key.
    """
    with _refused_when_over(), translated_errors():
        client().v1.disputes.close(dispute_id, {}, {"idempotency_key": key})


@contextmanager
def _refused_when_over() -> Iterator[None]:
    try:
        yield
    except stripe.InvalidRequestError as refused:
        raise DisputeIsOver(str(refused)) from refused
