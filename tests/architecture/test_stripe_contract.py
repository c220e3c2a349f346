"""Every parameter that the gateway sends exists in the installed SDK.

The calls are recorded between the gateway and the SDK, and compared with the SDK's
own types: an upgrade that drops a parameter fails here, not at a customer's.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import get_args, get_type_hints

import pytest
import stripe
from stripe._stripe_service import StripeService
from typing_extensions import is_typeddict

from accounts.models import Account, Role
from billing import cards, stripe_gateway
from billing.changes import arranging
from billing.plans import catalogue
from billing.reconciling import reading
from tests.billing.changes import change, tell_prices
from tests.billing.conftest import buy, connected, on_plan
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_user
from tests.stripe_wire import SECRET_KEY, StripeWire

pytestmark = pytest.mark.django_db
EVERYTHING = {
    "BalanceTransactionService.list",
    "ChargeService.list",
    "ConfigurationService.create",
    "ConfigurationService.list",
    "CustomerService.create",
    "CustomerService.retrieve",
    "CustomerService.update",
    "DisputeService.list",
    "EventService.list",
    "InvoiceItemService.create",
    "InvoiceItemService.delete",
    "InvoiceItemService.list",
    "InvoiceLineItemService.list",
    "InvoiceService.create_preview",
    "InvoiceService.list",
    "InvoiceService.retrieve",
    "InvoiceService.void_invoice",
    "PaymentIntentService.cancel",
    "PaymentIntentService.create",
    "PaymentIntentService.list",
    "PaymentIntentService.retrieve",
    "PaymentMethodService.detach",
    "PaymentMethodService.list",
    "PaymentMethodService.retrieve",
    "PriceService.create",
    "PriceService.list",
    "ProductService.create",
    "ProductService.retrieve",
    "RefundService.create",
    "RefundService.list",
    "RefundService.retrieve",
    "SessionLineItemService.list",
    "SessionService.create",
    "SessionService.expire",
    "SessionService.list",
    "SessionService.retrieve",
    "SubscriptionScheduleService.create",
    "SubscriptionScheduleService.release",
    "SubscriptionScheduleService.retrieve",
    "SubscriptionScheduleService.update",
    "SubscriptionService.cancel",
    "SubscriptionService.list",
    "SubscriptionService.retrieve",
    "SubscriptionService.update",
    "WebhookEndpointService.create",
    "WebhookEndpointService.list",
    "WebhookEndpointService.update",
}


class Recorder:
    """Notes what each method of the SDK's services is given."""

    def __init__(self, monkeypatch) -> None:
        self.calls: list[tuple[type, str, dict]] = []
        send = StripeService._request

        def note(service, *args, **kwargs):
            method = sys._getframe(1).f_code.co_name
            self.calls.append((type(service), method, kwargs.get("params") or {}))
            return send(service, *args, **kwargs)

        monkeypatch.setattr(StripeService, "_request", note)

    @property
    def names(self) -> set[str]:
        return {f"{service.__name__}.{method}" for service, method, _ in self.calls}

    def surprises(self) -> list[str]:
        """Return what was sent and is not in the SDK's types, and what is missing."""
        return [
            f"{service.__name__}.{method}: {surprise}"
            for service, method, sent in self.calls
            for surprise in differences(sent, params_class(service, method))
        ]


def params_class(service: type, method: str) -> type:
    annotation = inspect.get_annotations(getattr(service, method))["params"]
    name = re.search(r"\w+Params\b", str(annotation))[0]
    source = inspect.getsource(inspect.getmodule(service))
    module = re.search(rf"from ([\w.]+) import \(?\s*{name}\b", source)[1]
    return getattr(import_module(module), name)


def differences(sent: dict, allowed: type, path: str = "") -> list[str]:
    # What the SDK's request options name, which their users do not import.
    options = {"StripeContext": object, "Mapping": Mapping}
    names = vars(sys.modules[allowed.__module__]) | options
    hints = get_type_hints(allowed, names)
    found = [f"{path}{name} is unknown" for name in sent.keys() - hints.keys()]
    found += [f"{path}{n} is missing" for n in allowed.__required_keys__ - sent.keys()]
    for name in sent.keys() & hints.keys():
        for record in records_in(sent[name]):
            shapes = typed_dicts_in(hints[name])
            nested = [differences(record, shape, f"{path}{name}.") for shape in shapes]
            found += min(nested, key=len, default=[])
    return found


def records_in(value: object) -> list[dict]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def typed_dicts_in(hint: object) -> list[type]:
    if is_typeddict(hint):
        return [hint]
    return [found for inner in get_args(hint) for found in typed_dicts_in(inner)]


@pytest.fixture
def wire(db, settings) -> StripeWire:
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    catalogue.publish(catalogue.read(), currency="usd")
    with connected() as wire:
        wire.at(NOW)
        yield wire


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    return Recorder(monkeypatch)


def use_the_whole_gateway(wire: StripeWire) -> None:
    """Call every function of the gateway, on each of its ways."""
    stripe_gateway.ensure_price(
        stripe_gateway.PriceToSell("k", "prod", "Pro", 100, "usd", "month")
    )
    url = "https://purser.example/webhooks/stripe/"
    for events in (["refund.created"], ["refund.updated"]):
        stripe_gateway.ensure_webhook_endpoint(url=url, events=events)
    purchase = buy(on_plan("business"), make_user())
    wire.pay(purchase.stripe_session_id)
    session = stripe_gateway.checkout_session(purchase.stripe_session_id)
    refunded = {"cents": 1_500, "refund": "ref_1"}
    made = stripe_gateway.make_refund(
        session.payment_intent_id, key="refund:1:1", **refunded
    )
    with pytest.raises(stripe_gateway.RefundRefused):
        stripe_gateway.make_refund(
            session.payment_intent_id, key="refund:1:2", **refunded
        )
    stripe_gateway.refund(made.id)
    stripe_gateway.refunds_of(session.payment_intent_id)
    [charge] = wire.charges()
    stripe_gateway.refunds_of_charge(charge["id"])
    keep_cards(wire, purchase.account)
    follow_a_plan(wire)
    change_plans(wire)
    read_the_books()


def read_the_books() -> None:
    """Read all that the reconciliation compares."""
    assert reading.read(NOW).movements
    stripe_gateway.events_after("", since=NOW, kinds=["invoice.paid"])


def keep_cards(wire: StripeWire, account: Account) -> None:
    """Save a card, let it pay, and remove it."""
    owner = make_member(account, Role.OWNER)
    cards.open_page(account, by=owner, form_key="f" * 32, at=NOW)
    session_id = wire.sessions()[-1]["id"]
    wire.pay(session_id)
    saved = cards.note_saved(account, session_id, by=owner, at=NOW)
    stripe_gateway.attached_card(saved.id)
    charge_a_card(account, saved.id)
    cards.remove(account, cards.card_of(account, saved.id, at=NOW), by=owner, at=NOW)


def charge_a_card(account: Account, card_id: str) -> None:
    """Charge a saved card while nobody is there, and look at what came of it."""
    customer_id = account.customer.stripe_customer_id
    order = stripe_gateway.CardOrder(
        purchase="pur_1",
        reload="1",
        attempt=1,
        account=account.public_id,
        customer_id=customer_id,
        card_id=card_id,
        amount_cents=500,
        currency="usd",
        description="Auto-reload",
    )
    paid = stripe_gateway.charge_card(order, key="reload:1:1")
    stripe_gateway.payments_of_reload("1", customer_id=customer_id, since=NOW)
    stripe_gateway.cancel_payment(paid.id, key="cancel:1:1")


def follow_a_plan(wire: StripeWire) -> None:
    """Hear of a plan that was paid, and of its bills."""
    subscription = Plans(wire).subscribe(make_account(), "creator")
    [invoice_id] = stripe_gateway.invoice_ids_of(subscription.stripe_subscription_id)
    with pytest.raises(stripe.InvalidRequestError):  # it is paid
        stripe_gateway.void_invoice(invoice_id, key="void:1:1")


def change_plans(wire: StripeWire) -> None:
    """Subscribe, upgrade, schedule and take back, cancel and go on, cancel now."""
    tell_prices()
    plans, account = Plans(wire), make_account()
    owner = make_member(account, Role.OWNER)
    checkout = change(plans, account, owner, "creator")
    stripe_gateway.open_portal(
        account.customer.stripe_customer_id, return_url="https://purser.example"
    )
    arranging.give_up(checkout, at=NOW)
    wire.pay(change(plans, account, owner, "creator").stripe_session_id)
    plans.hear()
    change(plans, account, owner, "pro-2000")
    change(plans, account, owner, "pro-1000")
    smaller = change(plans, account, owner, "creator")
    arranging.take_back(smaller, at=NOW)
    end = change(plans, account, owner, "free")
    arranging.take_back(end, at=NOW)
    stripe_id = end.subscription.stripe_subscription_id
    begin_a_year(stripe_gateway.subscription(stripe_id))
    stripe_gateway.end_now(stripe_id, comment="", key="change:1:1")


def begin_a_year(fetched: stripe_gateway.StripeSubscription) -> None:
    """Give back what is unspent of a month, and keep it back after all."""
    move = stripe_gateway.PriceMove(
        subscription_id=fetched.id,
        item_id=fetched.item_id,
        price_id=stripe_gateway.price_id("purser_creator_v1_year"),
        prorated_at=NOW,
        given_back=stripe_gateway.GivenBack(fetched.customer_id, "usd", 700, "Unspent"),
    )
    stripe_gateway.preview_move(move)
    stripe_gateway.give_back(move, change="chg_1", key="change:1:2")
    stripe_gateway.keep_back(fetched.customer_id, change="chg_1")


class TestParameters:
    def test_of_every_call_exist_in_the_sdk(self, recorder, wire):
        use_the_whole_gateway(wire)

        assert recorder.names == EVERYTHING
        assert recorder.surprises() == []

    def test_of_every_write_of_money_come_with_a_key_of_ours(self, wire):
        use_the_whole_gateway(wire)

        keys = wire.sandbox.store.sql("SELECT key, endpoint FROM idempotency_keys")
        ours = {
            re.sub(r"/(in|pi|sub|sub_sched)_\w+", "/*", row["endpoint"]): row["key"]
            for row in keys
            if re.match(r"\w+:\d", row["key"])
        }
        assert ours.keys() == {
            "/v1/customers",
            "/v1/checkout/sessions",
            "/v1/invoiceitems",
            "/v1/invoices/*/void",
            "/v1/payment_intents",
            "/v1/payment_intents/*/cancel",
            "/v1/refunds",
            "/v1/billing_portal/configurations",
            "/v1/subscription_schedules",
            "/v1/subscription_schedules/*",
            "/v1/subscription_schedules/*/release",
            "/v1/subscriptions/*",
        }

    def test_that_do_not_exist_would_be_noticed(self):
        shape = params_class(
            import_module("stripe.checkout._session_service").SessionService, "create"
        )
        sent = {"mode": "payment", "payment_method": 1, "line_items": [{"prise": 1}]}

        assert sorted(differences(sent, shape)) == [
            "line_items.prise is unknown",
            "payment_method is unknown",
        ]

    def test_never_name_payment_method_types(self, recorder, wire):
        use_the_whole_gateway(wire)

        assert "'payment_method_types'" not in repr(recorder.calls)
