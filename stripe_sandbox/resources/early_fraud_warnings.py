"""Early fraud warnings: the card network says that a payment may be fraud."""

from __future__ import annotations

from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.reactions import reaction
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.resources import payment_methods

_KIND = "radar.early_fraud_warning"


@operation("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}")
def retrieve(context: Context, params: Json, early_fraud_warning: str) -> Json:
    """Return a warning."""
    return context.fetch(_KIND, early_fraud_warning)


@operation("GET", "/v1/radar/early_fraud_warnings")
def list_warnings(context: Context, params: Json) -> Json:
    """List warnings, newest first."""
    keep = Filter(
        charge=params.get("charge"), payment_intent=params.get("payment_intent")
    ).created(params.get("created"))
    return page(context, _KIND, params, url="/v1/radar/early_fraud_warnings", keep=keep)


def warn(context: Context, charge: Json) -> Json:
    """Let the network warn about a charge.

    Raises:
        ApiError: the charge took no money, or a warning exists.
    """
    if charge["status"] != "succeeded":
        raise ApiError(f"Charge {charge['id']} was not successful.")
    if _about(context, charge["id"]):
        raise ApiError(f"Charge {charge['id']} has an early fraud warning already.")
    return context.create(
        _KIND,
        event="radar.early_fraud_warning.created",
        actionable=not (charge["refunded"] or charge["disputed"]),
        charge=charge["id"],
        fraud_type="unauthorized_use_of_card",
        payment_intent=charge["payment_intent"],
    )


@reaction("charge.succeeded")
def expect(context: Context, charge: Json) -> None:
    """One test card is warned about as soon as it is charged."""
    method = context.fetch("payment_method", charge["payment_method"])
    if payment_methods.card_of(context, method).warns_of_fraud:
        context.schedule("warn_of_fraud", charge["id"], due_at=context.now)


@task("warn_of_fraud")
def warn_as_the_card_says(context: Context, charge_id: str) -> None:
    """Issue the warning that the test card stands for."""
    warn(context, context.fetch("charge", charge_id))


@reaction("charge.refunded")
def rest(context: Context, charge: Json) -> None:
    """A charge that is wholly refunded needs no more care."""
    if charge["refunded"]:
        _settle(context, charge["id"])


@reaction("charge.dispute.created")
def give_way(context: Context, dispute: Json) -> None:
    """What is disputed can no longer be refunded in time."""
    _settle(context, dispute["charge"])


def _settle(context: Context, charge_id: str) -> None:
    for warning in _about(context, charge_id):
        event = "radar.early_fraud_warning.updated"
        context.change(warning, event=event, actionable=False)


def _about(context: Context, charge_id: str) -> list[Json]:
    return context.store.find(_KIND, charge=charge_id)
