"""Staff find by anything: ids lead to their page, words to the accounts they mean."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import resolve

from billing.console import finding
from billing.console.finding import find
from billing.models import Break, BreakKind, Customer, DebtPayment, Refund
from billing.webhooks import inbox
from credits import ledger
from tests.billing.bank import Bank
from tests.billing.conftest import buy
from tests.billing.plans import Plans
from tests.billing.queued import held, unbilled, wallet_of
from tests.billing.refunds import bought, refund
from tests.billing.test_inbox import deliver, made_up
from tests.conftest import NOW
from tests.factories import job, make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(wire, business, alice):
    return bought(wire, business, alice)


@pytest.fixture
def on_creator(wire, offered):
    """An account that pays for Creator at Stripe."""
    plans, account = Plans(wire), make_account("Contoso Films")
    plans.subscribe(account, "creator")
    return account


def leads_to(text: str) -> tuple[str, object]:
    """Return the name of the page that a text leads to, and of what."""
    address, _, query = find(text).url.partition("?")
    at = resolve(address)
    return at.url_name, query or next(iter(at.kwargs.values()))


def names(text: str) -> list[str]:
    return [match.account.name for match in find(text).matches]


class TestId:
    def test_of_an_account_leads_to_it(self, business):
        assert leads_to(business.public_id) == ("staff_account", business.public_id)

    def test_of_a_customer_or_plan_leads_to_the_account(self, on_creator):
        customer = "cus_contoso"
        Customer.objects.create(
            account=on_creator, stripe_customer_id=customer, created_at=NOW
        )
        plan = on_creator.subscriptions.get().stripe_subscription_id

        for said in (customer, plan):
            assert leads_to(said) == ("staff_account", on_creator.public_id)

    def test_of_a_bill_or_its_number_leads_to_the_payment(self, on_creator):
        bill = on_creator.invoices.get()

        for said in (bill.stripe_invoice_id, bill.number, bill.number.lower()):
            assert leads_to(said) == ("staff_payment", bill.stripe_payment_intent_id)

    def test_of_a_purchase_leads_to_the_payment(self, paid):
        for said in (
            paid.public_id,
            paid.stripe_session_id,
            paid.stripe_payment_intent_id,
        ):
            assert leads_to(said) == ("staff_payment", paid.stripe_payment_intent_id)

    def test_of_an_unpaid_purchase_leads_to_where_it_stands(
        self, wire, business, alice
    ):
        purchase = buy(business, alice)

        assert leads_to(purchase.public_id) == ("staff_timeline", "family=PAYMENTS")

    def test_of_a_refund_leads_to_its_payment(self, paid):
        refund(paid)
        made = Refund.objects.get()

        for said in (made.public_id, made.stripe_refund_id):
            assert leads_to(said) == ("staff_payment", paid.stripe_payment_intent_id)

    def test_of_a_dispute_leads_to_it(self, wire, paid, business):
        Bank(Plans(wire)).dispute(paid)
        dispute = business.disputes.get()

        found = leads_to(dispute.stripe_dispute_id)

        assert found == ("staff_dispute", dispute.pk)

    def test_of_a_debt_payment_leads_to_where_it_stands(self, business, alice):
        payment = DebtPayment.objects.create(
            account=business,
            payer=alice,
            credits=5,
            cents=25,
            currency="usd",
            opened_at=NOW,
        )

        assert leads_to(payment.public_id)[0] == "staff_timeline"

    def test_of_a_hold_leads_to_its_movements(self, business):
        hold = held(business, 10)

        assert leads_to(hold.public_id) == (
            "staff_timeline",
            f"family=LEDGER&job={hold.public_id}",
        )

    def test_of_what_waits_leads_to_it(self, business):
        item = unbilled(business)
        known = {"happened_at": NOW, "first_seen_at": NOW, "last_seen_at": NOW}
        found = Break.objects.create(
            kind=BreakKind.AMOUNT_DIFFERS, subject="pi_1", **known
        )

        assert leads_to(item.public_id) == ("staff_work", item.public_id)
        assert leads_to(found.public_id) == ("staff_break", found.public_id)

    def test_that_only_stripe_told_of_leads_to_the_inbox(self):
        subject_id = deliver(made_up(1, object_id="ch_elsewhere"))

        assert leads_to("ch_elsewhere") == ("staff_inbox_subject", subject_id)
        [event] = inbox.WebhookSubject.objects.get(pk=subject_id).events.all()
        assert event.stripe_id.startswith("evt_")
        assert leads_to(event.stripe_id) == ("staff_inbox_subject", subject_id)

    @pytest.mark.parametrize("said", ["acc_none", "pi_none", "hld_", "_", "cus_1%"])
    def test_of_nothing_finds_nothing(self, business, said):
        assert find(said) == finding.Found()


class TestWords:
    def test_find_beginnings_of_words_of_names(self, db):
        for name in ("Northwind Studio", "Studio North", "Nordwind", "Southwind"):
            make_account(name)

        assert names("north stu") == ["Northwind Studio", "Studio North"]
        assert names("STUDIO") == ["Northwind Studio", "Studio North"]
        assert names("wind") == []

    def test_that_mean_something_to_a_query_are_words(self, db):
        make_account("A & B | C")

        assert names("!a & (b:* | c") == ["A & B | C"]
        assert find("&|!()") == finding.Found()

    def test_say_why_they_match(self, business, alice):
        business.billing_email = "Alice@Example.com"
        business.save()

        [match] = find("ALICE@example.com").matches

        assert match.why == (
            "member alice@example.com",
            "billing address alice@example.com",
        )

    def test_find_each_account_of_a_member(self, business, alice):
        other = make_account("Other")
        other.memberships.create(user=alice, role="MEMBER")

        assert names("alice@example.com") == ["Northwind Studio", "Other"]

    def test_find_no_more_than_a_page(self, db):
        for _ in range(finding._MOST + 1):
            make_account("Alike")

        found = find("alike")

        assert (len(found.matches), found.is_cut) == (finding._MOST, True)

    def test_without_any_find_the_newest(self, db):
        for number in range(3):
            make_account(f"Account {number}")

        assert names("")[0] == "Account 2"


class TestJob:
    def test_is_found_by_its_reference(self, business):
        spent = job(wallet_of(business), 5)
        ledger.spend(ledger.Spend(**{**fields(spent), "reference": "r-1"}), at=NOW)

        [match] = find("r-1").matches

        assert (match.account, match.why) == (business, ("job r-1",))

    def test_is_looked_for_among_the_latest_only(self, business, monkeypatch):
        held(business, 5, key="old")
        held(business, 5, key="new")
        monkeypatch.setattr(finding, "RECENT_ENTRIES", 1)

        assert names("new") == ["Northwind Studio"]
        assert names("old") == []


class TestIndexes:
    """Nothing reads a whole table: with sequential scans forbidden none is left."""

    @pytest.mark.parametrize(
        "text", ["north", "alice@example.com", "INV-1", "evt_1", "hld_1", "pi_1"]
    )
    def test_are_there_for_each_way(
        self, business, alice, text, django_assert_max_num_queries, monkeypatch
    ):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        with django_assert_max_num_queries(12) as asked:
            find(text)

        for query in asked.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, f"{query['sql']}\n{plan}"


def fields(command) -> dict[str, object]:
    return {name: getattr(command, name) for name in command.__slots__}
