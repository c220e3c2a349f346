"""Saved cards: which pay, what goes with one that is removed, and their end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice, Role
from billing import card_expiry, cards, stripe_gateway
from billing.models import AutoReload, CardOnFile, Customer, Suspension
from billing.models.card_on_file import end_of_card
from billing.stripe_gateway.sandbox import FAILING_METHOD
from billing.webhooks import inbox
from tests.billing.conftest import event_of
from tests.billing.plans import DAY, Plans
from tests.billing.reloads import agree, save_card
from tests.conftest import NOW
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db

MASTERCARD = "pm_card_mastercard"


@pytest.fixture
def visa(wire, business):
    return save_card(wire, business)


def hear(wire, kind: str) -> list[str]:
    """Deliver what Stripe told of cards; return what came of each."""
    outcomes = []
    for event in wire.events(kind):
        subject_id = inbox.receive(event_of(event), at=NOW)
        inbox.look_at(subject_id, at=NOW)
        told = event_of(event).id
        outcomes.append(inbox.WebhookEvent.objects.get(stripe_id=told).outcome)
    return outcomes


def row_of(account, card, at=NOW) -> cards.CardRow:
    row = cards.card_of(account, card.id, at=at)
    assert row is not None
    return row


def row_of_plan(account) -> cards.CardRow:
    [row] = cards.cards_of(account, at=NOW)
    assert row.pays_for_plan
    return row


def expiring(wire, card, *, month: int, year: int) -> None:
    wire.client().v1.payment_methods.update(
        card.id, {"card": {"exp_month": month, "exp_year": year}}
    )


class TestCardsOf:
    def test_are_none_before_an_account_is_a_customer(self, wire, business):
        assert cards.cards_of(business, at=NOW) == []

    def test_say_what_each_pays_for(self, wire, business, alice):
        visa, other = save_card(wire, business), save_card(wire, business, MASTERCARD)
        agree(business, alice, visa)
        cards.make_default(business, row_of(business, other), by=alice, at=NOW)

        rows = {row.id: row for row in cards.cards_of(business, at=NOW)}

        assert rows[visa.id].pays_for_reloads
        assert not rows[visa.id].is_default
        assert (rows[other.id].brand, rows[other.id].last4) == ("Mastercard", "4444")
        assert rows[other.id].is_default
        assert rows[other.id].pays_for_plan is False

    def test_mark_what_expires(self, wire, business, visa):
        expiring(wire, visa, month=4, year=2026)
        end = end_of_card(2026, 4)

        marks = [
            (row.expires_soon, row.is_expired)
            for at in (end - 31 * DAY, end - 30 * DAY, end)
            for row in cards.cards_of(business, at=at)
        ]

        assert marks == [(False, False), (True, False), (False, True)]


class TestEndOfCard:
    def test_is_the_end_of_the_month_that_is_printed_on_it(self):
        assert f"{end_of_card(2026, 4):%Y-%m-%d %H:%M}" == "2026-05-01 00:00"
        assert f"{end_of_card(2026, 12):%Y-%m-%d %H:%M}" == "2027-01-01 00:00"


class TestSaving:
    def save(self, wire, account, user) -> stripe_gateway.SavedCard | None:
        cards.open_page(account, by=user, form_key="f" * 32, at=NOW)
        session = wire.sessions()[-1]["id"]
        assert wire.pay(session).status == 303
        return cards.note_saved(account, session, by=user, at=NOW)

    def test_charges_nothing(self, wire, business, alice):
        saved = self.save(wire, business, alice)

        assert saved.last4 == "4242"
        assert wire.charges() == []

    def test_makes_the_first_one_the_default(self, wire, business, alice):
        first = self.save(wire, business, alice)

        assert row_of(business, first).is_default
        assert AuditEvent.objects.get(action="card.default").actor_id == alice.pk

    def test_leaves_the_default_as_it_is(self, wire, business, alice, visa):
        cards.make_default(business, row_of(business, visa), by=alice, at=NOW)

        self.save(wire, business, alice)

        assert row_of(business, visa).is_default

    def test_twice_from_one_form_is_one_page(self, wire, business, alice):
        pages = {
            cards.open_page(business, by=alice, form_key="f" * 32, at=NOW)
            for _ in range(2)
        }

        assert len(pages) == 1

    def test_is_not_done_before_the_card_is_typed_in(self, wire, business, alice):
        cards.open_page(business, by=alice, form_key="f" * 32, at=NOW)
        session = wire.sessions()[-1]["id"]

        assert cards.note_saved(business, session, by=alice, at=NOW) is None

    def test_of_another_customer_is_not_ours(self, wire, business, alice):
        other = wire.client().v1.customers.create({})
        session = wire.client().v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": other.id,
                "currency": "usd",
                "success_url": "https://purser.example/",
            }
        )
        wire.pay(session.id)
        save_card(wire, business)

        assert cards.note_saved(business, session.id, by=alice, at=NOW) is None

    def test_is_heard_of_though_nobody_comes_back(self, wire, business, alice):
        cards.open_page(business, by=alice, form_key="f" * 32, at=NOW)
        wire.pay(wire.sessions()[-1]["id"])

        assert set(hear(wire, "payment_method.attached")) == {"card noted"}
        assert CardOnFile.objects.get().account == business


class TestDefault:
    def test_pays_for_the_plan_too(self, wire, offered):
        account = make_account()
        owner = make_member(account, Role.OWNER)
        plan = Plans(wire).subscribe(account, "business")
        customer = stripe_gateway.subscription(plan.stripe_subscription_id).customer_id
        Customer.objects.get_or_create(
            account=account,
            defaults={"stripe_customer_id": customer, "created_at": NOW},
        )
        first, other = row_of_plan(account), save_card(wire, account, MASTERCARD)

        cards.make_default(account, row_of(account, other), by=owner, at=NOW)

        assert not row_of(account, first).pays_for_plan
        assert row_of(account, other).pays_for_plan
        assert row_of(account, other).is_default


class TestRemoving:
    def test_forgets_the_card_at_stripe(self, wire, business, alice, visa):
        cards.remove(business, row_of(business, visa), by=alice, at=NOW)

        assert cards.cards_of(business, at=NOW) == []
        event = AuditEvent.objects.get(action="card.removed")
        assert event.target == "Visa 4242"

    def test_turns_auto_reload_off_that_charges_it(self, wire, business, alice, visa):
        agree(business, alice, visa)

        cards.remove(business, row_of(business, visa), by=alice, at=NOW)

        assert not AutoReload.objects.get().is_on

    def test_keeps_auto_reload_that_charges_another(self, wire, business, alice, visa):
        other = save_card(wire, business, MASTERCARD)
        agree(business, alice, visa)

        cards.remove(business, row_of(business, other), by=alice, at=NOW)

        assert AutoReload.objects.get().is_on

    def test_at_stripe_turns_auto_reload_off(self, wire, business, alice, visa):
        agree(business, alice, visa)
        wire.client().v1.payment_methods.detach(visa.id)

        assert hear(wire, "payment_method.detached") == ["card removed"]
        assert not AutoReload.objects.get().is_on
        assert not CardOnFile.objects.exists()


class TestRenewedByTheBank:
    def test_lets_a_suspended_auto_reload_charge_again(
        self, wire, business, alice, visa
    ):
        agree(business, alice, visa)
        AutoReload.objects.update(
            suspended_at=NOW,
            suspension=Suspension.DECLINED,
            failed_fingerprint="of the old number",
        )
        expiring(wire, visa, month=9, year=2031)

        hear(wire, "payment_method.updated")

        auto = AutoReload.objects.get()
        assert (auto.suspended_at, auto.card_exp_year) == (None, 2031)

    def test_stays_suspended_while_the_number_is_the_same(
        self, wire, business, alice, visa
    ):
        agree(business, alice, visa)
        AutoReload.objects.update(
            suspended_at=NOW,
            suspension=Suspension.DECLINED,
            failed_fingerprint=visa.fingerprint,
        )
        expiring(wire, visa, month=9, year=2031)

        hear(wire, "payment_method.updated")

        assert AutoReload.objects.get().suspended_at == NOW


class TestUnknownCustomer:
    def test_is_not_ours(self, wire):
        customer = wire.client().v1.customers.create({})
        wire.client().v1.payment_methods.attach(
            FAILING_METHOD, {"customer": customer.id}
        )

        assert hear(wire, "payment_method.attached") == ["not ours"]


class TestTellExpiring:
    @pytest.fixture
    def ends_at(self, wire, business, alice, visa):
        """When a card of the account ends that was heard of."""
        expiring(wire, visa, month=4, year=2026)
        hear(wire, "payment_method.updated")
        return end_of_card(2026, 4)

    def test_is_told_thirty_days_ahead_and_once(self, ends_at):
        moment = timedelta(seconds=1)

        told = [
            card_expiry.tell_expiring(limit=9, at=at)
            for at in (ends_at - 30 * DAY - moment, ends_at - 30 * DAY, ends_at - DAY)
        ]

        assert told == [0, 1, 0]
        notice = Notice.objects.get()
        assert notice.recipient == "alice@example.com"
        assert notice.subject == "Visa 4242 of Northwind Studio expires on 30 Apr 2026"

    def test_is_not_told_of_one_that_is_over(self, ends_at):
        assert card_expiry.tell_expiring(limit=9, at=ends_at) == 0

    def test_is_told_anew_of_a_new_end(self, ends_at, wire, visa):
        card_expiry.tell_expiring(limit=9, at=ends_at - DAY)
        expiring(wire, visa, month=9, year=2031)
        hear(wire, "payment_method.updated")

        told = card_expiry.tell_expiring(limit=9, at=end_of_card(2031, 9) - DAY)

        assert told == 1
