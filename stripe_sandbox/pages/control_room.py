"""The control room at `/`: time, faults, deliveries, payments, and what happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from stripe_sandbox.engine import deliveries
from stripe_sandbox.engine.clock import Clock
from stripe_sandbox.engine.context import API_VERSION, Context
from stripe_sandbox.engine.faults import Faults, Kind
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.rendering import page, refuse_other_sites

_SHOWN = 20
_NEWEST = f"ORDER BY seq DESC LIMIT {_SHOWN}"
# What is made beside every other object would hide the others.
_BESIDE = ("balance_transaction", "event", "item", "line_item", "invoice_payment",
           "setup_attempt", "subscription_item")  # fmt: skip
_OBJECTS = (
    f"SELECT body FROM objects WHERE kind NOT IN ({', '.join('?' * len(_BESIDE))})"  # noqa: S608
    f" {_NEWEST}"
)
_FAULTS = {
    "500": "Server error (500)",
    "429": "Rate limit (429)",
    "timeout_after_commit": "Done, but the answer is lost",
    "reset": "Lost before it is done",
}


@dataclass(frozen=True, slots=True)
class ControlRoom:
    """Shows what the sandbox is doing, and lets a developer interfere."""

    clock: Clock
    faults: Faults

    def show(self, context: Context, _request: Request) -> Response:
        """Show what happened lately, and the controls."""
        store = context.store
        return page(
            "control_room.html",
            api_version=API_VERSION,
            charges=store.select("charge", [], [], tail=_NEWEST),
            deliveries=deliveries.latest(store, _SHOWN),
            events=store.select("event", [], [], tail=_NEWEST),
            fault_kinds=_FAULTS,
            faults=self.faults.pending(),
            held=deliveries.are_held(store),
            now=context.now,
            objects=[json.loads(row["body"]) for row in store.sql(_OBJECTS, *_BESIDE)],
            offset_s=self.clock.offset_s,
            sessions=store.find("checkout.session", status="open")[::-1][:_SHOWN],
        )

    def change(self, context: Context, request: Request, what: str) -> Response:
        """Do what a form of the page asks for.

        Raises:
            ApiError: it makes no sense, or another site sent it.
        """
        refuse_other_sites(request)
        form = request.form()
        match what:
            case "clock":
                self._move_clock(context, form)
            case "faults":
                self._order_fault(form)
            case _:
                _interfere(context, form)
        return redirect(f"/#{what}")

    def _move_clock(self, context: Context, form: Json) -> None:
        try:
            ahead_s = int(form["by"]) if form.get("by") else _seconds_to(context, form)
        except (KeyError, ValueError) as unreadable:
            raise ApiError("Say when, e.g. 2027-02-01T12:00.") from unreadable
        if ahead_s < 0:
            raise ApiError("The clock only goes forward.")
        self.clock.set_offset(self.clock.offset_s + ahead_s)

    def _order_fault(self, form: Json) -> None:
        if form.get("action") == "clear":
            self.faults.clear()
            return
        times = str(form.get("times", "1"))
        if form.get("kind") not in _FAULTS or not times.isdecimal():
            raise ApiError("There is no such fault.")
        on = str(form.get("on", "")).strip()
        self.faults.order(cast("Kind", form["kind"]), on=on, times=min(int(times), 100))


def _seconds_to(context: Context, form: Json) -> int:
    moment = datetime.fromisoformat(form["to"]).replace(tzinfo=UTC)
    return int(moment.timestamp()) - context.now


def _interfere(context: Context, form: Json) -> None:
    store, delivery = context.store, str(form.get("delivery", "0"))
    chosen = int(delivery) if delivery.isdecimal() else 0
    match form.get("action"):
        case "send":
            deliveries.send_again(store, chosen)
        case "delay":
            deliveries.delay(store, chosen)
        case "drop":
            deliveries.drop(store, chosen)
        case "reverse":
            deliveries.reverse(store)
        case "hold" | "release" as action:
            deliveries.hold(store, held=action == "hold")
        case _:
            raise ApiError("There is no such action.")
