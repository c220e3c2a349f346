"""What billing says about free videos: to whom, how many, from when on (R67, R106)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing import customers, stripe_gateway
from billing.models import Customer, Subscription
from billing.plans import catalogue, free_video_terms, subscribing
from credits import ledger
from credits.models import Wallet
from tests.billing.conftest import on_plan
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.factories import make_account

DAY = timedelta(days=1)


def quota(account, *, at=NOW) -> int | None:
    wallet = Wallet.objects.get(account=account)
    videos = ledger.free_videos(wallet_id=wallet.pk, at=at)
    return videos and videos.quota


@pytest.mark.usefixtures("offered")
class TestQuota:
    @pytest.mark.parametrize(
        ("country", "expected"), [("", 3), ("DE", 3), ("BR", 2), ("IN", 1)]
    )
    def test_is_that_of_the_country(self, country, expected):
        assert quota(make_account(country=country)) == expected

    def test_is_that_of_the_billing_country_if_there_is_one(self, wire):
        """The sandbox's page knows the country of the card: the US (R0)."""
        account = make_account(country="IN")
        plans = Plans(wire)
        session = stripe_gateway.checkout_session(plans.pay_for(account, "creator"))
        Customer.objects.create(
            account=account, stripe_customer_id=session.customer_id, created_at=NOW
        )

        plans.hear()
        Subscription.objects.update(cancel_at=NOW)
        subscribing.push_terms(account.pk, at=NOW)

        assert Customer.objects.get().country == "US"
        assert quota(account) == 3

    def test_follows_the_address_that_is_kept_at_stripe(self, wire):
        account, plans = make_account(country="IN"), Plans(wire)
        stripe_id = customers.customer_id(
            account, email="a@b.example", attempt=1, at=NOW
        )

        wire.client().v1.customers.update(stripe_id, {"address": {"country": "BR"}})
        plans.hear()

        assert Customer.objects.get().country == "BR"
        assert quota(account) == 2

    def test_outlasts_a_customer_without_an_address(self, wire):
        account, plans = make_account(country="IN"), Plans(wire)
        stripe_id = customers.customer_id(
            account, email="a@b.example", attempt=1, at=NOW
        )
        Customer.objects.update(country="BR")

        wire.client().v1.customers.update(stripe_id, {"name": "Northwind"})
        plans.hear()

        assert Customer.objects.get().country == "BR"

    def test_follows_the_account_to_another_country(self):
        account = make_account(country="IN")
        account.country = "DE"

        account.save(update_fields=["country"])

        assert quota(account) == 3

    def test_is_none_on_a_paid_plan(self):
        assert quota(on_plan("creator")) is None

    def test_waits_for_the_end_of_a_canceled_plan(self):
        account = on_plan("creator")
        Subscription.objects.update(cancel_at=NOW + DAY)
        subscribing.push_terms(account.pk, at=NOW)

        quotas = [quota(account, at=NOW), quota(account, at=NOW + DAY)]

        assert quotas == [None, 3]

    def test_is_taken_back_with_the_cancellation(self):
        account = on_plan("creator")
        for cancel_at in (NOW + DAY, None):
            Subscription.objects.update(cancel_at=cancel_at)
            subscribing.push_terms(account.pk, at=NOW)

        assert quota(account, at=NOW + DAY) is None


@pytest.mark.usefixtures("offered")
class TestCatalogue:
    def test_gives_one_to_three_by_region(self):
        offer = catalogue.read().free_videos

        assert (offer.default_quota, offer.longest_ms) == (3, 60_000)
        assert {1, 2} == set(offer.quota_by_country.values())

    def test_gives_what_is_in_force(self):
        offer = catalogue.read()
        more = replace(
            offer.free_videos, version=2, starts_at=NOW + DAY, default_quota=2
        )
        catalogue.publish(replace(offer, free_videos=more), currency="usd")

        assert catalogue.free_videos_in_force(at=NOW).version == 1
        assert catalogue.free_videos_in_force(at=NOW + DAY).version == 2

    def test_reaches_accounts_on_free_when_its_day_has_come(self):
        accounts = [make_account(f"A{n}") for n in range(3)]
        on_creator = on_plan("creator")
        offer = catalogue.read()
        fewer = replace(
            offer.free_videos, version=2, starts_at=NOW + DAY, default_quota=2
        )
        catalogue.publish(replace(offer, free_videos=fewer), currency="usd")
        tell_all(NOW)

        before = [quota(account) for account in accounts]
        told = tell_all(NOW + DAY)

        assert before == [3, 3, 3]
        assert [quota(account) for account in accounts] == [2, 2, 2]
        assert quota(on_creator) is None
        assert told == [2, 1]
        assert tell_all(NOW + DAY) == [0]

    def test_refuses_to_edit_what_is_published(self):
        offer = catalogue.read()
        edited = replace(offer.free_videos, default_quota=2)

        with pytest.raises(catalogue.PublishedOfferEdited, match="default_quota"):
            catalogue.publish(replace(offer, free_videos=edited), currency="usd")


def tell_all(at) -> list[int]:
    """Tell two at a time until all are told."""
    told = [free_video_terms.tell_free_videos(limit=2, at=at)]
    while told[-1] == 2:
        told.append(free_video_terms.tell_free_videos(limit=2, at=at))
    return told


@pytest.mark.django_db
def test_an_account_from_before_the_first_catalogue_has_none():
    assert quota(make_account()) is None
