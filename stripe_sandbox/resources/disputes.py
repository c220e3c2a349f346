"""Disputes, answered with evidence or given up."""

from __future__ import annotations

from stripe_sandbox import disputing
from stripe_sandbox.engine.agenda import task
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.listing import Filter, page
from stripe_sandbox.engine.registry import operation
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource, not_in_the_sandbox
from stripe_sandbox.resources.fields import refuse_unsupported, updated

_SUPPORTED = frozenset({"evidence", "metadata", "submit"})
_FILES = frozenset({
    "cancellation_policy", "customer_communication", "customer_signature",
    "duplicate_charge_documentation", "receipt", "refund_policy",
    "service_documentation", "shipping_documentation", "uncategorized_file",
})  # fmt: skip
# What the bank decides, told by the test values of `uncategorized_text`.
# Source: https://docs.stripe.com/testing#evidence
_DECISIONS = {
    "winning_evidence": "win_dispute",
    "losing_evidence": "lose_dispute",
    "escalate_inquiry_evidence": "escalate_dispute",
}
_BANK_DECIDES_AFTER_S = 300


@operation("GET", "/v1/disputes/{dispute}")
def retrieve(context: Context, params: Json, dispute: str) -> Json:
    """Return a dispute."""
    return context.fetch("dispute", dispute)


@operation("POST", "/v1/disputes/{dispute}")
def update(context: Context, params: Json, dispute: str) -> Json:
    """Stage evidence and, unless `submit` says no, hand it in."""
    refuse_unsupported("Disputes", params, _SUPPORTED)
    before = context.fetch("dispute", dispute)
    values = updated(before, params)
    if "evidence" in params or "submit" in params:
        values |= _with_evidence(before, params)
    after = context.change(before, event="charge.dispute.updated", **values)
    if after["status"] != before["status"]:
        _expect_decision(context, after)
    return after


@operation("POST", "/v1/disputes/{dispute}/close")
def close(context: Context, params: Json, dispute: str) -> Json:
    """Give in: the dispute is lost."""
    return disputing.lose(context, context.fetch("dispute", dispute))


@operation("GET", "/v1/disputes")
def list_disputes(context: Context, params: Json) -> Json:
    """List disputes, newest first."""
    keep = Filter(
        charge=params.get("charge"), payment_intent=params.get("payment_intent")
    ).created(params.get("created"))
    return page(context, "dispute", params, url="/v1/disputes", keep=keep)


@task("win_dispute")
def win(context: Context, dispute_id: str) -> None:
    """Let the bank find for the merchant."""
    disputing.win(context, context.fetch("dispute", dispute_id))


@task("lose_dispute")
def lose(context: Context, dispute_id: str) -> None:
    """Let the bank find for the cardholder."""
    disputing.lose(context, context.fetch("dispute", dispute_id))


@task("escalate_dispute")
def escalate(context: Context, dispute_id: str) -> None:
    """Let the bank turn an inquiry into a chargeback."""
    disputing.escalate(context, context.fetch("dispute", dispute_id))


def _with_evidence(before: Json, params: Json) -> Json:
    if before["status"] not in disputing.OPEN + disputing.INQUIRIES:
        raise ApiError("This dispute is already closed.", param="evidence")
    evidence = before["evidence"] | _checked(params.get("evidence", {}))
    details = before["evidence_details"] | {"has_evidence": True}
    if not params.get("submit", True):
        return {"evidence": evidence, "evidence_details": details}
    details["submission_count"] += 1
    warning = "warning_" if before["status"] in disputing.INQUIRIES else ""
    return {
        "evidence": evidence,
        "evidence_details": details,
        "status": f"{warning}under_review",
    }


def _checked(given: Json) -> Json:
    if "enhanced_evidence" in given:
        raise not_in_the_sandbox("`enhanced_evidence` on Disputes")
    for name in sorted(_FILES & given.keys()):
        raise missing_resource(
            "file upload", given[name], param=f"evidence[{name}]", status=400
        )
    return {name: value or None for name, value in given.items()}


def _expect_decision(context: Context, dispute: Json) -> None:
    decision = _DECISIONS.get(dispute["evidence"]["uncategorized_text"])
    if decision:
        due_at = context.now + _BANK_DECIDES_AFTER_S
        context.schedule(decision, dispute["id"], due_at=due_at)
