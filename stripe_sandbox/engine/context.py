"""One request's work: reads and writes objects, and tells the event log."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stripe_sandbox.contract.objects import fill, has_field
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.outbox import Outbox
from stripe_sandbox.engine.reactions import reactions_to
from stripe_sandbox.engine.store import Json, Store
from stripe_sandbox.errors import missing_resource

API_VERSION = "2026-10-28.endive"
PREFIXES = {
    "balance_transaction": "txn",
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "credit_note": "cn",
    "customer": "cus",
    "discount": "di",
    "dispute": "dp",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "invoiceitem": "ii",
    "item": "li",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "promotion_code": "promo",
    "radar.early_fraud_warning": "issfr",
    "refund": "re",
    "setup_attempt": "setatt",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
    "subscription_schedule": "sub_sched",
    "tax_id": "txi",
    "test_helpers.test_clock": "clock",
    "webhook_endpoint": "we",
}

# How Stripe calls them when there is none.
_NOUNS = {
    "balance_transaction": "balance transaction",
    "billing_portal.configuration": "configuration",
    "credit_note": "credit note",
    "invoice_payment": "invoice payment",
    "promotion_code": "promotion code",
    "radar.early_fraud_warning": "early fraud warning",
    "setup_intent": "setupintent",
    "subscription_item": "subscription item",
    "subscription_schedule": "subscription schedule",
    "tax_id": "tax id",
    "test_helpers.test_clock": "test clock",
    "webhook_endpoint": "webhook endpoint",
}
_PATH_PARAMS = {
    "checkout.session": "session",
    "payment_intent": "intent",
    "price": "price",
    "setup_intent": "intent",
    "webhook_endpoint": "webhook_endpoint",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Which API request caused an event; none for pages and for the clock."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a resource works with. `now` is fixed for the whole request."""

    store: Store
    outbox: Outbox
    base_url: str
    now: int
    origin: Origin = Origin()
    test_clock: str | None = None

    def at(self, now: int) -> Context:
        """Return the same at another time, for work that fell due then."""
        return replace(self, now=now, origin=Origin())

    def following(self, body: Json) -> Context:
        """Return the same at the time of the object's test clock, if it has one."""
        if body.get("test_clock") in (None, self.test_clock):
            return self
        clock = self.fetch("test_helpers.test_clock", body["test_clock"])
        return replace(self, now=clock["frozen_time"], test_clock=clock["id"])

    def create(
        self, kind: str, *, notes: Json | None = None, event: str = "", **values: object
    ) -> Json:
        """Keep a new object, filled as Stripe sends it, and emit `event` if named."""
        if "id" not in values:
            values["id"] = new_id(PREFIXES[kind])
        if has_field(kind, "created"):
            values.setdefault("created", self.now)
        body = fill(kind, values)
        self.store.insert(body, notes or {})
        if event:
            self.emit(event, body)
        return body

    def change(self, body: Json, *, event: str = "", **values: object) -> Json:
        """Keep new values and emit `event` with the previous ones; a no-op is silent.

        Source: https://docs.stripe.com/api/events/object#event_object-data
        """
        changed = {k: v for k, v in values.items() if body.get(k, ...) != v}
        if not changed:
            return body
        new = body | changed
        self.store.replace(new)
        if event:
            previous = {name: _previous(body.get(name), new[name]) for name in changed}
            self.emit(event, new, previous)
        return new

    def emit(self, event_type: str, body: Json, previous: Json | None = None) -> None:
        """Write an event with a snapshot of the object, queue it, and let others react.

        A reaction may change the object: whoever goes on with it fetches it anew.
        """
        data: Json = {"object": body}
        if previous is not None:
            data["previous_attributes"] = previous
        event = fill(
            "event",
            {
                "id": new_id("evt"),
                "api_version": API_VERSION,
                "created": self.now,
                "data": data,
                "pending_webhooks": 0,
                "request": {
                    "id": self.origin.request_id,
                    "idempotency_key": self.origin.idempotency_key,
                },
                "type": event_type,
            },
        )
        self.store.insert(event, {})
        self.outbox.enqueue(event)
        for react in reactions_to(event_type):
            react(self, body)

    def fetch(self, kind: str, object_id: str, *, param: str = "") -> Json:
        """Return an object by the id in the path, or in the parameter `param`.

        Raises:
            ApiError: there is none (404 in the path, 400 in a parameter).
        """
        body = self.store.get(object_id)
        if body is None or body["object"] != kind or (param and body.get("deleted")):
            raise missing_resource(
                _NOUNS.get(kind, kind),
                object_id,
                param=param or _PATH_PARAMS.get(kind, "id"),
                status=400 if param else 404,
            )
        return body

    def schedule(self, task: str, object_id: str, *, due_at: int) -> None:
        """Have a task of the agenda run when the sandbox's clock reaches `due_at`."""
        self.store.sql(
            "INSERT INTO agenda (due_at, task, object_id, test_clock)"
            " VALUES (?, ?, ?, ?)",
            due_at,
            task,
            object_id,
            self.test_clock,
        )


def _previous(old: object, new: object) -> object:
    """The old value; of a hash, only the keys that changed."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old
    keys = sorted(old.keys() | new.keys())
    return {k: old.get(k) for k in keys if old.get(k, ...) != new.get(k, ...)}
