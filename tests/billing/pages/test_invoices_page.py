"""The invoices: what was billed, what it granted, and the ways to Stripe's pages."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import Role
from billing.models import Interval, Invoice
from billing.subscriptions import invoice_list
from tests.billing.changes import change, tell_prices
from tests.billing.pages.conftest import get
from tests.billing.plans import HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
APRIL = NOW.replace(month=4)


@pytest.fixture
def plans(wire) -> Plans:
    tell_prices()
    return Plans(wire)


@pytest.fixture
def account(offered):
    return make_account()


@pytest.fixture
def bea(account):
    return make_member(account, Role.BILLING)


@pytest.fixture
def signed_in(client, bea):
    client.force_login(bea)
    return client


class TestList:
    def test_names_number_amount_and_credits(self, plans, account, signed_in):
        plans.subscribe(account, "creator")

        page = get(signed_in, "invoices")

        assert Invoice.objects.get().number in page
        assert "Paid" in page
        assert "$29.00" in page
        assert ">600</a>" in page

    def test_counts_what_an_upgrade_brought(self, plans, account, bea):
        plans.subscribe(account, "creator")
        plans.travel(NOW + (APRIL - NOW) / 2)
        change(plans, account, bea, "pro-1000")

        listed = invoice_list.invoices_of(account).invoices

        assert [invoice.credits for invoice in listed] == [200, 600]

    def test_counts_the_months_of_a_year_as_they_come(self, plans, account):
        plans.subscribe(account, "creator", Interval.YEAR)
        plans.travel(APRIL)

        [invoice] = invoice_list.invoices_of(account).invoices

        assert invoice.credits == 1_200

    def test_links_the_entry_in_the_statement(self, plans, account, signed_in):
        plans.subscribe(account, "creator")
        [invoice] = invoice_list.invoices_of(account).invoices

        statement = signed_in.get(
            reverse("credits:statement"),
            {"kind": "GRANT", "before": invoice.before_seq},
        )

        first = statement.context["page"].rows[0]
        assert (first.kind, first.credits) == ("GRANT", 600)

    def test_offers_to_pay_an_open_one(self, plans, account, signed_in):
        subscription = plans.subscribe(account, "creator")
        plans.let_cards_fail(subscription)
        plans.travel(APRIL + 2 * HOUR)

        page = get(signed_in, "invoices")

        assert "Waiting for payment" in page
        assert "Pay $29.00" in page

    def test_is_by_year_and_page(self, plans, account, monkeypatch):
        plans.subscribe(account, "creator")
        plans.travel(APRIL.replace(year=2027))
        monkeypatch.setattr(invoice_list, "PAGE_SIZE", 5)

        first = invoice_list.invoices_of(account)
        second = invoice_list.invoices_of(account, before=first.next_before)

        assert first.years == (2027, 2026)
        assert len(first.invoices) == len(second.invoices) == 5
        assert not {i.id for i in first.invoices} & {i.id for i in second.invoices}
        in_2027 = invoice_list.invoices_of(account, year=2027).invoices
        assert {invoice.created_at.year for invoice in in_2027} == {2027}

    def test_is_empty_at_first(self, signed_in):
        assert "No invoices yet" in get(signed_in, "invoices", year="x", before="x")


class TestTable:
    def test_has_each_invoice_with_its_parts_and_a_way_to_its_pdf(
        self, plans, account, signed_in
    ):
        plans.subscribe(account, "creator")
        invoice = Invoice.objects.get()

        [row] = rows_of(signed_in.get(reverse("billing:invoices_csv")))

        assert row == {
            "Number": invoice.number,
            "Date": "2026-03-10",
            "Status": "Paid",
            "Net": "29.00",
            "Tax": "0.00",
            "Total": "29.00",
            "Due": "29.00",
            "Currency": "USD",
            "Paid": "2026-03-10",
            "Credits granted": "600",
            "PDF": settings.BASE_URL
            + reverse("billing:invoice_pdf", args=[invoice.pk]),
        }

    def test_is_of_all_pages_or_of_a_year(self, plans, account, signed_in, monkeypatch):
        plans.subscribe(account, "creator")
        plans.travel(APRIL.replace(year=2027))
        monkeypatch.setattr(invoice_list, "PAGE_SIZE", 5)
        address = reverse("billing:invoices_csv")

        everything = signed_in.get(address)
        of_2027 = signed_in.get(address, {"year": 2027})

        assert len(rows_of(everything)) == 13
        assert {row["Date"][:4] for row in rows_of(of_2027)} == {"2027"}
        assert 'filename="invoices-2027.csv"' in of_2027["Content-Disposition"]

    def test_is_offered_with_the_year_that_is_shown(self, plans, account, signed_in):
        plans.subscribe(account, "creator")

        page = get(signed_in, "invoices", year="2026")

        assert f'href="{reverse("billing:invoices_csv")}?year=2026"' in page


def rows_of(response) -> list[dict[str, str]]:
    return [*csv.DictReader(StringIO(response.getvalue().decode(), newline=""))]


class TestWays:
    @pytest.mark.parametrize(
        ("name", "ending"), [("invoice_page", ""), ("invoice_pdf", "/pdf")]
    )
    def test_lead_to_stripe_when_asked(self, plans, account, signed_in, name, ending):
        plans.subscribe(account, "creator")
        invoice = Invoice.objects.get()

        response = signed_in.get(reverse(f"billing:{name}", args=[invoice.pk]))

        assert response.status_code == 303
        assert response.url.endswith(f"{invoice.stripe_invoice_id}{ending}")

    def test_say_so_when_stripe_is_silent(self, plans, account, signed_in):
        plans.subscribe(account, "creator")
        plans.wire.fail_next("reset", times=9)
        address = reverse("billing:invoice_page", args=[Invoice.objects.get().pk])

        response = signed_in.get(address, follow=True)

        assert "Stripe has no page of this invoice right now." in (
            response.content.decode()
        )

    def test_of_others_are_not_found(self, plans, account, client):
        plans.subscribe(account, "creator")
        client.force_login(make_member(make_account(), Role.OWNER))
        invoice = Invoice.objects.get()

        for name in ("invoice_page", "invoice_pdf"):
            address = reverse(f"billing:{name}", args=[invoice.pk])
            assert client.get(address).status_code == 404
