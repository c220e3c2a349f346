"""The billing portal: configurations, sessions, and what a customer does there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

NOW = datetime(2027, 1, 31, tzinfo=UTC)
RETURN = "https://portal.example/billing"
CARD = {"name": "Alice", "card_number": "4242 4242 4242 4242", "expiry": "12 / 34",
        "cvc": "123"}  # fmt: skip


@pytest.fixture(autouse=True)
def _still(wire):
    wire.at(NOW)


@pytest.fixture
def configure(client) -> Callable[..., stripe.billing_portal.Configuration]:
    def configure(**features: Any) -> stripe.billing_portal.Configuration:
        return client.v1.billing_portal.configurations.create(
            {
                "features": {
                    "customer_update": {
                        "enabled": True,
                        "allowed_updates": ["name", "email", "address"],
                    },
                    "invoice_history": {"enabled": True},
                    "payment_method_update": {"enabled": True},
                    "subscription_cancel": {
                        "enabled": True,
                        "cancellation_reason": {
                            "enabled": True,
                            "options": ["too_expensive", "unused"],
                        },
                    },
                    **features,
                }
            }
        )

    return configure


@pytest.fixture
def enter(client, alice, configure) -> Callable[..., stripe.billing_portal.Session]:
    def enter(**params: Any) -> stripe.billing_portal.Session:
        params.setdefault("configuration", configure().id)
        return client.v1.billing_portal.sessions.create(
            {"customer": alice.id, "return_url": RETURN, **params}
        )

    return enter


@pytest.fixture
def cards(client, alice) -> list[str]:
    """Two cards of Alice's; the first one is her default."""
    attached = [
        client.v1.payment_methods.attach(card, {"customer": alice.id}).id
        for card in ("pm_card_visa", "pm_card_mastercard")
    ]
    client.v1.customers.update(
        alice.id, {"invoice_settings": {"default_payment_method": attached[0]}}
    )
    return attached


@pytest.fixture
def subscription(client, alice, cards) -> stripe.Subscription:
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": "Creator"},
            "recurring": {"interval": "month"},
            "unit_amount": 900,
        }
    )
    return client.v1.subscriptions.create(
        {"customer": alice.id, "items": [{"price": price.id}]}
    )


@pytest.fixture
def visit(wire):
    """GET or, with fields, POST a page of the portal."""

    def visit(session: stripe.billing_portal.Session, below: str = "", **form: str):
        target = urlsplit(session.url).path + below
        method = "POST" if form else "GET"
        return wire.sandbox.handle(method, target, {}, urlencode(form).encode())

    return visit


def default_card(client, customer) -> str:
    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    return settings.default_payment_method


class TestConfiguration:
    def test_keeps_what_is_not_named_switched_off(self, configure):
        features = configure().features

        assert features.payment_method_update.enabled
        assert not features.subscription_update.enabled
        assert features.subscription_cancel.mode == "at_period_end"

    def test_is_changed_and_listed(self, client, configure):
        configuration = configure()

        changed = client.v1.billing_portal.configurations.update(
            configuration.id, {"features": {"invoice_history": {"enabled": False}}}
        )

        listed = client.v1.billing_portal.configurations.list({"is_default": False})
        assert not changed.features.invoice_history.enabled
        assert changed.features.payment_method_update.enabled
        assert [each.id for each in listed.data] == [configuration.id]

    @pytest.mark.parametrize(
        "feature",
        [
            {"subscription_update": {"enabled": True}},
            {"subscription_pause": {"enabled": True}},
            {"customer_update": {"enabled": True, "allowed_updates": ["shipping"]}},
        ],
        ids=lambda feature: next(iter(feature)),
    )
    def test_refuses_what_its_page_does_not_have(self, configure, feature):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            configure(**feature)

        assert caught.value.code == "sandbox_unsupported"


class TestSession:
    def test_leads_to_a_page_with_a_way_back(self, enter, visit):
        session = enter()

        response = visit(session)

        assert session.url.endswith(f"/p/session/{session.id}")
        assert response.status == 200
        assert f'href="{RETURN}"' in response.body.decode()

    def test_does_without_a_configuration(self, client, alice, visit):
        session = client.v1.billing_portal.sessions.create({"customer": alice.id})

        assert visit(session).status == 200

    def test_expires_unused_after_five_minutes(self, enter, visit, wire):
        session = enter()

        wire.at(NOW + timedelta(minutes=6))

        assert visit(session).status == 410

    def test_lives_while_it_is_used(self, enter, visit, wire):
        session = enter()
        visit(session)
        wire.at(NOW + timedelta(minutes=50))
        visit(session)

        wire.at(NOW + timedelta(minutes=100))

        assert visit(session).status == 200

    def test_refuses_a_flow_that_is_switched_off(self, configure, enter):
        configuration = configure(payment_method_update={"enabled": False})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            enter(
                configuration=configuration.id,
                flow_data={"type": "payment_method_update"},
            )

        assert caught.value.param == "flow_data[type]"


class TestHome:
    def test_shows_plan_cards_and_invoices(self, enter, visit, subscription, client):
        [invoice] = client.v1.invoices.list({"subscription": subscription.id}).data

        page = visit(enter()).body.decode()

        assert "$9.00 per month" in page
        assert "Renews on Feb 28, 2027" in page
        assert "•••• 4444" in page
        assert invoice.hosted_invoice_url in page

    def test_makes_another_card_the_default(self, enter, visit, client, alice, cards):
        visit(enter(), action="default", id=cards[1])

        assert default_card(client, alice) == cards[1]

    def test_removes_a_card(self, enter, visit, client, alice, cards, wire):
        visit(enter(), action="remove", id=cards[1])

        left = client.v1.customers.payment_methods.list(alice.id).data
        assert [card.id for card in left] == [cards[0]]
        assert wire.events()[-1]["type"] == "payment_method.detached"

    def test_touches_nobody_elses_card(self, enter, visit, client):
        other = client.v1.customers.create({"name": "Bob"})
        card = client.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})

        assert visit(enter(), action="remove", id=card.id).status == 404

    def test_takes_no_forms_from_other_sites(self, enter, wire, cards):
        path = urlsplit(enter().url).path
        headers = {"Sec-Fetch-Site": "cross-site"}
        body = f"action=remove&id={cards[1]}".encode()

        assert wire.sandbox.handle("POST", path, headers, body).status == 403


class TestCard:
    def test_is_added_as_the_default(self, enter, visit, client, alice, cards):
        response = visit(enter(), "/card", **CARD)

        added = client.v1.payment_methods.retrieve(default_card(client, alice))
        assert response.status == 303
        assert added.id not in cards
        assert added.customer == alice.id

    @pytest.mark.parametrize(
        ("typed", "status", "sentence"),
        [
            ({"card_number": "4000000000000002"}, 402, "Your card was declined."),
            ({"cvc": "1"}, 422, "security code is incomplete"),
        ],
    )
    def test_is_refused_with_the_reason(self, enter, visit, typed, status, sentence):
        response = visit(enter(), "/card", **(CARD | typed))

        assert response.status == status
        assert sentence in response.body.decode()

    @pytest.mark.parametrize(("answer", "saved"), [("approve", 1), ("fail", 0)])
    def test_is_confirmed_by_the_bank(
        self, enter, visit, client, alice, wire, answer, saved
    ):
        session = enter()
        asked = visit(session, "/card", **(CARD | {"card_number": "4000002500003155"}))
        challenge = urlsplit(asked.headers["Location"]).path
        answered = wire.sandbox.handle(
            "POST", challenge, {}, f"answer={answer}".encode()
        )

        back = urlsplit(answered.headers["Location"])
        visit(session, f"/card?{back.query}")

        cards = client.v1.customers.payment_methods.list(alice.id).data
        assert len(cards) == saved
        assert bool(default_card(client, alice)) is bool(saved)

    def test_can_be_all_that_a_link_is_for(self, enter, visit, client, alice):
        session = enter(
            flow_data={
                "type": "payment_method_update",
                "after_completion": {
                    "type": "redirect",
                    "redirect": {"return_url": "https://portal.example/saved"},
                },
            }
        )

        first = visit(session)
        done = visit(session, "/card", **CARD)

        assert session.flow.type == "payment_method_update"
        assert first.headers["Location"].endswith(f"{session.id}/card")
        assert done.headers["Location"] == "https://portal.example/saved"


class TestCancellation:
    def test_sets_the_date_and_not_the_flag(
        self, enter, visit, subscription, client, wire
    ):
        visit(enter(), "/cancel", id=subscription.id, feedback="unused")

        ending = client.v1.subscriptions.retrieve(subscription.id)
        [item] = ending.items.data
        assert ending.cancel_at == item.current_period_end
        assert not ending.cancel_at_period_end
        assert ending.cancellation_details.feedback == "unused"
        assert ending.status == "active"

    def test_is_taken_back(self, enter, visit, subscription, client):
        session = enter()
        visit(session, "/cancel", id=subscription.id)

        shown = visit(session).body.decode()
        visit(session, action="renew", id=subscription.id)

        assert "Ends on Feb 28, 2027" in shown
        assert client.v1.subscriptions.retrieve(subscription.id).cancel_at is None

    def test_can_be_immediate(self, configure, enter, visit, subscription, client):
        at_once = configure(
            subscription_cancel={"enabled": True, "mode": "immediately"}
        )

        visit(enter(configuration=at_once.id), "/cancel", id=subscription.id)

        assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"

    def test_can_be_all_that_a_link_is_for(self, enter, visit, subscription):
        session = enter(
            flow_data={
                "type": "subscription_cancel",
                "subscription_cancel": {"subscription": subscription.id},
                "after_completion": {
                    "type": "hosted_confirmation",
                    "hosted_confirmation": {"custom_message": "Sorry to see you go"},
                },
            }
        )

        page = visit(session, "/cancel")
        done = visit(session, "/cancel", feedback="")

        assert "available until Feb 28, 2027" in page.body.decode()
        assert "Sorry to see you go" in done.body.decode()

    def test_is_not_offered_where_it_is_switched_off(
        self, configure, enter, visit, subscription
    ):
        without = configure(subscription_cancel={"enabled": False})
        session = enter(configuration=without.id)

        assert "Cancel plan" not in visit(session).body.decode()
        assert visit(session, "/cancel", id=subscription.id).status == 403


class TestDetails:
    def test_are_changed(self, enter, visit, client, alice):
        visit(
            enter(),
            "/details",
            name="Alice A.",
            email="a@acme.example",
            line1="1 Main St",
            country="US",
        )

        changed = client.v1.customers.retrieve(alice.id)
        assert (changed.name, changed.email) == ("Alice A.", "a@acme.example")
        assert (changed.address.line1, changed.address.city) == ("1 Main St", None)

    def test_keep_one_tax_id_which_is_printed_on_bills(
        self, configure, enter, visit, client, alice, subscription
    ):
        allowed = configure(
            customer_update={"enabled": True, "allowed_updates": ["tax_id"]}
        )
        session = enter(configuration=allowed.id)
        visit(session, "/details", tax_id_type="eu_vat", tax_id="DE111111111")

        visit(session, "/details", tax_id_type="eu_vat", tax_id="DE123456789")

        [kept] = client.v1.customers.tax_ids.list(alice.id).data
        assert (kept.value, kept.country) == ("DE123456789", "DE")
        assert "DE123456789" in visit(session, "/details").body.decode()
        invoice = client.v1.invoices.create({"customer": alice.id})
        assert [each.value for each in invoice.customer_tax_ids] == ["DE123456789"]

    def test_without_a_tax_id_again(self, configure, enter, visit, client, alice):
        allowed = configure(
            customer_update={"enabled": True, "allowed_updates": ["tax_id"]}
        )
        session = enter(configuration=allowed.id)
        visit(session, "/details", tax_id_type="us_ein", tax_id="12-3456789")

        visit(session, "/details", tax_id_type="us_ein", tax_id="")

        assert client.v1.customers.tax_ids.list(alice.id).data == []

    def test_are_changed_only_as_far_as_allowed(
        self, configure, enter, visit, client, alice
    ):
        only_name = configure(
            customer_update={"enabled": True, "allowed_updates": ["name"]}
        )

        visit(enter(configuration=only_name.id), "/details", name="A", email="x@y.z")

        assert client.v1.customers.retrieve(alice.id).email == "alice@acme.example"
