"""A payment in the control room: refund it, dispute it, warn about it."""

from __future__ import annotations

import re

from stripe_sandbox import disputing
from stripe_sandbox.cards import Dispute
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.rendering import page, refuse_other_sites
from stripe_sandbox.resources import early_fraud_warnings, refunds

_AMOUNT = re.compile(r"\$?(\d{1,6})(?:\.(\d\d))?\Z")
_DISPUTES: dict[str, Dispute] = {
    "fraudulent": "fraudulent",
    "product_not_received": "product_not_received",
    "inquiry": "inquiry",
}
_DECISIONS = {
    "win": disputing.win,
    "lose": disputing.lose,
    "escalate": disputing.escalate,
}


def charge_page(context: Context, request: Request, charge_id: str) -> Response:
    """Show a charge, or do to it what its form says.

    Raises:
        ApiError: it cannot be done, e.g. because nothing is left to refund.
    """
    charge = context.fetch("charge", charge_id)
    if request.method == "POST":
        refuse_other_sites(request)
        _act(context, charge, request.form())
        return redirect(f"/control/charges/{charge_id}")
    disputes = disputing.against(context, charge)
    return page(
        "charge.html",
        charge=charge,
        disputes=disputes,
        is_charged_back=any(d["status"] in disputing.CHARGED_BACK for d in disputes),
        inquiries=disputing.INQUIRIES,
        is_open=disputing.OPEN + disputing.INQUIRIES,
        left=charge["amount"] - charge["amount_refunded"],
        refunds=context.store.find("refund", charge=charge_id),
        warnings=context.store.find("radar.early_fraud_warning", charge=charge_id),
    )


def _act(context: Context, charge: Json, form: Json) -> None:
    action = form.get("action")
    if action == "refund":
        amount = _cents(str(form.get("amount", "")))
        refunds.create(context, {"charge": charge["id"], "amount": amount})
    elif action in _DISPUTES:
        disputing.dispute(context, charge, _DISPUTES[action])
    elif action == "warn":
        early_fraud_warnings.warn(context, charge)
    elif action in _DECISIONS:
        disputed = context.fetch("dispute", str(form.get("dispute")), param="dispute")
        _DECISIONS[action](context, disputed)
    else:
        raise ApiError("There is no such action.")


def _cents(typed: str) -> int:
    match = _AMOUNT.match(typed.strip())
    if match is None:
        raise ApiError("The amount must look like 5.00.")
    return int(match[1]) * 100 + int(match[2] or 0)
