"""Pages of an account that has premium credits beside credits (R34)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Role
from credits import ledger
from credits.models import GrantSource, Wallet, WalletUnit
from tests.conftest import NOW
from tests.factories import job, make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

PAGES = pytest.mark.parametrize("page", ["/statement/", "/usage/", "/rates/"])


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(make_account("Northwind"), {"plan": (1_500, None)})


@pytest.fixture
def premium(wallet) -> Wallet:
    return with_premium(wallet.account_id)


def with_premium(account_id: int) -> Wallet:
    wallet_id = ledger.open_wallet(
        account_id=account_id, unit=WalletUnit.PREMIUM, at=NOW
    )
    ledger.set_terms(
        wallet_id=wallet_id,
        rate_plan="legacy",
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
    )
    ledger.grant(
        wallet_id=wallet_id,
        source=GrantSource.PACK,
        source_key=f"legacy:{wallet_id}",
        credits=300,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=NOW + timedelta(days=60),
        actor="test",
        at=NOW,
    )
    return Wallet.objects.get(pk=wallet_id)


@pytest.fixture
def client(wallet):
    return client_of(wallet)


def client_of(wallet) -> Client:
    client = Client()
    client.force_login(make_member(wallet.account, Role.MEMBER))
    return client


def read(client, page, **query) -> str:
    return " ".join(client.get(page, query).content.decode().split())


class TestTabs:
    @PAGES
    def test_lead_from_one_unit_to_the_other(self, client, premium, page):
        text = read(client, page)

        assert 'href="?unit=PREMIUM">Premium credits' in text
        assert 'href="?unit=CREDITS" aria-current="page">Credits' in text

    @PAGES
    def test_are_for_those_who_have_both(self, client, page):
        assert "Premium credits" not in read(client, page, unit="PREMIUM")

    @PAGES
    def test_begin_with_premium_where_only_they_ever_moved(self, page):
        wallet = make_wallet(make_account("Harbor"))
        with_premium(wallet.account_id)

        text = read(client_of(wallet), page)

        assert 'href="?unit=PREMIUM" aria-current="page"' in text


class TestStatement:
    def test_shows_packs_and_what_was_taken_from_them(self, client, premium):
        ledger.spend(job(premium, credits=7), at=NOW)

        text = read(client, "/statement/", unit="PREMIUM")

        assert "Pack of premium credits" in text
        assert "293" in text
        assert "1,500" not in text

    def test_keeps_the_unit_in_its_filters(self, client, premium):
        text = read(client, "/statement/", unit="PREMIUM")

        assert "?unit=PREMIUM&amp;kind=SPEND" in text


class TestUsage:
    def test_keeps_the_range_from_one_unit_to_the_other(self, client, premium):
        dates = {"from": "2026-03-01", "to": "2026-03-09"}

        by_dates = read(client, "/usage/", **dates, range="", feature="look")
        by_name = read(client, "/usage/", range="7", member="ann@x.example")

        assert 'href="?unit=PREMIUM&amp;from=2026-03-01&amp;to=2026-03-09"' in by_dates
        assert 'href="?unit=PREMIUM&amp;range=7"' in by_name

    @pytest.fixture(autouse=True)
    def _used(self, wallet, premium):
        ledger.spend(job(premium, credits=7), at=NOW)
        ledger.spend(job(wallet, credits=11), at=NOW)

    def test_counts_premium_credits_by_themselves(self, client):
        text = read(client, "/usage/", unit="PREMIUM")

        assert '7 <span class="balance-unit">premium credits</span>' in text

    def test_keeps_the_unit_in_ranges_filters_and_download(self, client):
        text = read(client, "/usage/", unit="PREMIUM")

        assert "?range=7&amp;unit=PREMIUM" in text
        assert '<input type="hidden" name="unit" value="PREMIUM">' in text
        assert "/usage/usage.csv?unit=PREMIUM" in text

    def test_downloads_them_under_their_name(self, client):
        response = client.get("/usage/usage.csv", {"unit": "PREMIUM"})

        lines = b"".join(response).decode("utf-8-sig").splitlines()
        assert "premium-usage-" in response["Content-Disposition"]
        assert lines[0].endswith("Premium credits")
        assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["7"]


class TestRates:
    def test_are_those_of_premium_credits(self, client, premium):
        shown = [read(client, "/rates/", unit=unit) for unit in WalletUnit]

        assert ["Included" in text for text in shown] == [False, True]

    def test_keeps_the_unit_in_the_calculator(self, client, premium):
        query = {"feature": "audio-dubbing", "minutes": "1", "seconds": "0"}

        text = read(client, "/rates/", unit="PREMIUM", **query)

        assert '<input type="hidden" name="unit" value="PREMIUM">' in text
        assert '<p class="calculation-total">0 credits</p>' in text
