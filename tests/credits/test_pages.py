"""The statement page, the rates and their calculator."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from credits import ledger
from tests.conftest import NOW
from tests.credits.usage_jobs import hold, line
from tests.factories import job, make_account, make_member, make_user, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

STATEMENT, RATES = "/statement/", "/rates/"


@pytest.fixture
def wallet(db):
    return make_wallet(make_account("Northwind"), {"plan": (1_500, None)})


@pytest.fixture
def client(wallet):
    return client_of(make_member(wallet.account, Role.MEMBER))


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


class TestAccess:
    @pytest.mark.parametrize("name", ["credits:statement", "credits:rates"])
    @pytest.mark.parametrize("role", Role)
    def test_opens_to_every_role(self, wallet, name, role):
        client = client_of(make_member(wallet.account, role))

        assert client.get(reverse(name)).status_code == 200

    @pytest.mark.parametrize("path", [STATEMENT, RATES])
    def test_asks_visitors_to_sign_in(self, path):
        response = Client().get(path)

        assert (response.status_code, "login" in response.url) == (302, True)

    @pytest.mark.parametrize("path", [STATEMENT, RATES])
    def test_sends_a_user_without_an_account_to_make_one(self, path):
        response = client_of(make_user()).get(path)

        assert response.url == reverse("accounts:new_account")

    @pytest.mark.parametrize("path", [STATEMENT, RATES])
    def test_is_read_only(self, client, path):
        assert client.post(path).status_code == 405

    def test_shows_no_movement_of_another_account(self, wallet):
        ledger.spend(job(wallet, credits=7), at=NOW)
        other = make_wallet(make_account("Contoso"))

        response = client_of(make_member(other.account, Role.OWNER)).get(STATEMENT)

        assert response.context["page"].rows == ()


class TestStatement:
    def test_shows_movements_with_the_grants_they_drew_from(self, client, wallet):
        ledger.spend(job(wallet, credits=24), at=NOW)

        text = text_of(client.get(STATEMENT))

        assert "Look, 24 looks" in text
        assert "\N{MINUS SIGN}24" in text
        assert "1,476 of 1,500 left then, no expiry" in text

    def test_invites_nobody_to_read_an_empty_list(self):
        wallet = make_wallet(make_account("New"))
        client = client_of(make_member(wallet.account, Role.OWNER))

        assert "No movements yet" in text_of(client.get(STATEMENT))

    def test_filters_by_kind_and_says_which(self, client, wallet):
        ledger.spend(job(wallet, credits=24), at=NOW)

        response = client.get(STATEMENT, {"kind": "GRANT"})

        assert [row.kind for row in response.context["page"].rows] == ["GRANT"]
        assert 'href="/statement/?kind=GRANT" aria-current="true"' in text_of(response)

    def test_counts_the_charge_of_a_held_job_as_used(self, client, wallet):
        held = hold(wallet, 10)
        ledger.capture(
            hold_id=held.hold_id,
            lines=(line("look", 10),),
            idempotency_key="captured",
            actor="test",
            at=NOW,
        )

        response = client.get(STATEMENT, {"kind": "SPEND"})

        assert [row.kind for row in response.context["page"].rows] == ["CAPTURE"]

    def test_says_that_a_filter_matches_nothing(self, client):
        response = client.get(STATEMENT, {"kind": "EXPIRE"})

        assert "Nothing of this kind" in text_of(response)

    @pytest.mark.parametrize(
        "query",
        [{"kind": "NONSENSE"}, {"before": "x"}, {"before": -1}, {"before": 10**30}],
    )
    def test_ignores_what_makes_no_sense(self, client, query):
        response = client.get(STATEMENT, query)

        assert (response.status_code, len(response.context["page"].rows)) == (200, 1)

    def test_links_to_older_movements_and_back_to_the_newest(self, client, wallet):
        for _ in range(60):
            ledger.spend(job(wallet, credits=1), at=NOW)

        newest = client.get(STATEMENT, {"kind": "SPEND"})
        older = client.get(newest.context["older_url"])

        assert newest.context["older_url"] == "/statement/?kind=SPEND&before=22"
        assert (len(older.context["page"].rows), older.context["older_url"]) == (20, "")
        assert older.context["newest_url"] == "/statement/?kind=SPEND"

    def test_needs_the_same_queries_for_any_number_of_rows(
        self, client, wallet, django_assert_max_num_queries
    ):
        client.get(STATEMENT)
        for _ in range(50):
            ledger.spend(job(wallet, credits=1), at=NOW)

        # Seven for the sign-in session, memberships, wallet, and the statement's four.
        with django_assert_max_num_queries(13):
            client.get(STATEMENT)


class TestRates:
    def test_shows_every_rate_in_words(self, client):
        text = text_of(client.get(RATES))

        assert "20 credits per minute" in text
        assert "1 credit per 5 minutes" in text
        assert "cost what their features cost" in text

    def test_shows_the_rates_of_the_accounts_plan(self, client, wallet):
        ledger.set_terms(
            wallet_id=wallet.pk,
            rate_plan="legacy",
            spending_block=None,
            way_forward="",
            cycle_starts_at=NOW,
            cycle_ends_at=NOW + timedelta(days=30),
        )

        assert "Included in your plan." in text_of(client.get(RATES))


class TestCalculator:
    @pytest.mark.parametrize(
        ("query", "credits", "working"),
        [
            (
                {"feature": "avatar-iv", "minutes": "1", "seconds": "12"},
                "24 credits",
                "1 min 12 s at 20 credits per minute makes 24.",
            ),
            (
                {"feature": "avatar-iv", "minutes": "", "seconds": "4.6"},
                "2 credits",
                "4.6 s at 20 credits per minute makes 1.53…, rounded up to 2.",
            ),
            (
                {"feature": "translation-precision", "minutes": "1", "seconds": "1"},
                "11 credits",
                "1 min 1 s at 10 credits per minute makes 10.16…, rounded up to 11.",
            ),
            (
                {"feature": "speech", "minutes": "5", "seconds": ""},
                "1 credit",
                "5 min at 1 credit per 5 minutes makes 1.",
            ),
            (
                {"feature": "avatar-iii", "seconds": "10,0"},
                "1 credit",
                "10 s at 3 credits per minute makes 0.50, rounded up to 1.",
            ),
            (
                {"feature": "image", "pieces": "1000"},
                "2,000 credits",
                "1,000 images at 2 credits per image makes 2,000.",
            ),
        ],
    )
    def test_shows_the_exact_credits_and_the_working(
        self, client, query, credits, working
    ):
        text = text_of(client.get(RATES, query))

        assert f'<p class="calculation-total">{credits}</p>' in text
        assert working in text

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ({"feature": "avatar-iv", "minutes": "0", "seconds": "0"}, "how long"),
            ({"feature": "avatar-iv", "minutes": "-1"}, "greater than or equal to 0"),
            ({"feature": "avatar-iv", "minutes": "1.5"}, "whole number"),
            ({"feature": "avatar-iv", "seconds": "1.2345"}, "such as 12 or 4.6"),
            ({"feature": "avatar-iv", "seconds": "1e3"}, "such as 12 or 4.6"),
            ({"feature": "image", "pieces": "0"}, "greater than or equal to 1"),
            ({"feature": "image", "pieces": "many"}, "whole number"),
            ({"feature": "image", "pieces": "9" * 30}, "less than or equal to"),
        ],
    )
    def test_explains_what_it_cannot_price(self, client, query, message):
        response = client.get(RATES, query)

        assert message in text_of(response)
        assert response.context["calculation"] is None

    def test_asks_for_what_the_chosen_feature_counts(self, client):
        form = client.get(RATES, {"feature": "image"}).context["form"]

        assert list(form.fields) == ["feature", "pieces"]
        assert not form.errors

    def test_falls_back_to_a_feature_that_there_is(self, client):
        response = client.get(RATES, {"feature": "hologram"})

        assert response.context["form"].rate.feature == "avatar-iii"

    def test_gives_htmx_the_calculator_alone(self, client):
        response = client.get(
            RATES,
            {"feature": "look", "pieces": "2"},
            headers={"hx-request": "true"},
        )

        assert response.content.strip().startswith(b"<form")
        assert b"2 credits" in response.content
