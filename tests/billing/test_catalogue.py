"""Publishing the offer, here and at Stripe."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from billing import stripe_gateway
from billing.models import BlockOffer, PlanVersion
from billing.plans import catalogue
from tests.conftest import NOW


def published(**changes) -> int:
    offer = catalogue.read()
    creator = next(plan for plan in offer.plans if plan.code == "creator")
    changed = replace(creator, **changes)
    plans = tuple(changed if plan is creator else plan for plan in offer.plans)
    return catalogue.publish(replace(offer, plans=plans), currency="usd")


class TestTheFile:
    def test_offers_what_the_rule_book_says(self):
        offer = catalogue.read()

        prices = {
            plan.code: (plan.cycle_credits, plan.month_cents, plan.year_cents)
            for plan in offer.plans
        }
        assert prices == {
            "free": (0, 0, None),
            "creator": (600, 2_900, 28_800),
            "pro-1000": (1_000, 4_900, 49_200),
            "pro-2000": (2_000, 9_600, 94_800),
            "pro-5000": (5_000, 23_500, 232_800),
            "pro-10000": (10_000, 46_000, 457_200),
            "pro-20000": (20_000, 90_000, 894_000),
            "pro-50000": (50_000, 219_500, 2_180_400),
            "pro-100000": (100_000, 430_000, 4_270_800),
            "business": (1_500, 14_900, 147_600),
            "legacy-unlimited": (0, 3_000, 28_800),
        }

    def test_sells_blocks_on_business_only(self):
        sellers = [plan.code for plan in catalogue.read().plans if plan.sells_blocks]

        assert sellers == ["business"]

    def test_sells_100_credits_for_5_dollars(self):
        blocks = catalogue.read().blocks

        assert (blocks.credits, blocks.cents) == (100, 500)
        assert (blocks.min_blocks, blocks.max_blocks) == (1, 200)
        assert blocks.expires_after_months == 12


@pytest.mark.django_db
class TestPublish:
    def test_publishes_each_version_once(self):
        first = catalogue.publish(catalogue.read(), currency="usd")
        second = catalogue.publish(catalogue.read(), currency="usd")

        assert (first, second) == (13, 0)
        assert (PlanVersion.objects.count(), BlockOffer.objects.count()) == (11, 1)

    def test_refuses_to_edit_a_published_version(self, offered):
        with pytest.raises(catalogue.PublishedOfferEdited) as refusal:
            published(month_cents=100)

        assert str(refusal.value) == (
            "Version 1 of plan “creator” is published and differs from the file in: "
            "month_cents. A published version is never edited (R36): raise the version "
            "and give it a later start."
        )

    def test_leaves_the_old_version_when_a_new_one_is_published(self, offered):
        published(version=2, month_cents=3_900, starts_at=NOW + timedelta(days=1))

        before = catalogue.plan_in_force("creator", at=NOW)
        after = catalogue.plan_in_force("creator", at=NOW + timedelta(days=1))
        assert (before.month_cents, after.month_cents) == (2_900, 3_900)

    def test_tells_stripe_no_price_of_a_legacy_plan(self, offered):
        keys = [price.lookup_key for price in catalogue.prices_to_sell()]

        assert not [key for key in keys if "legacy" in key]

    def test_another_currency_is_another_version(self, offered):
        with pytest.raises(catalogue.PublishedOfferEdited):
            catalogue.publish(catalogue.read(), currency="eur")

    def test_the_command_says_what_is_wrong_and_not_where_in_the_code(
        self, offered, settings
    ):
        settings.CURRENCY = "eur"

        with pytest.raises(CommandError, match="differs from the file in: currency"):
            call_command("load_catalogue", stdout=StringIO())


class TestInForce:
    def test_lists_one_version_of_every_plan_in_order(self, offered):
        published(version=2, month_cents=3_900, starts_at=NOW - timedelta(days=1))

        in_force = catalogue.plans_in_force(at=NOW)

        assert [str(version) for version in in_force][:3] == [
            "free v1",
            "creator v2",
            "pro-1000 v1",
        ]

    def test_knows_nothing_before_the_first_version(self, offered):
        long_ago = NOW.replace(year=2020)

        with pytest.raises(catalogue.NothingOffered):
            catalogue.blocks_in_force(at=long_ago)
        with pytest.raises(catalogue.NothingOffered):
            catalogue.plan_in_force("free", at=long_ago)


class TestStripeSetup:
    def run(self, **options) -> str:
        told = StringIO()
        call_command("stripe_setup", stdout=told, **options)
        return told.getvalue()

    def test_creates_a_price_for_everything_that_is_sold(self, wire):
        self.run()

        prices = wire.client().v1.prices.list({"limit": 100}).data
        assert len({price.lookup_key for price in prices}) == len(prices) == 19
        business = next(p for p in prices if p.lookup_key == "purser_business_v1_year")
        assert (business.unit_amount, business.recurring.interval) == (147_600, "year")

    def test_a_second_run_changes_nothing(self, wire):
        first = self.run(webhook_url="https://purser.example/webhooks/stripe/")
        events = len(wire.events())

        second = self.run(webhook_url="https://purser.example/webhooks/stripe/")

        assert "18 prices created" in first
        assert "0 prices created" in second
        assert len(wire.events()) == events
        assert len(wire.client().v1.webhook_endpoints.list().data) == 1

    def test_goes_on_where_a_first_run_fell_over(self, wire):
        wire.fail_next("timeout_after_commit", on="POST /v1/prices", times=3)
        with pytest.raises(CommandError):
            self.run()

        self.run()

        assert len(wire.client().v1.prices.list({"limit": 100}).data) == 19

    def test_pins_the_version_of_the_endpoint_to_that_of_the_sdk(self, wire):
        told = self.run(webhook_url="https://purser.example/webhooks/stripe/")

        [endpoint] = wire.client().v1.webhook_endpoints.list().data
        assert endpoint.api_version == "2026-10-28.endive"
        assert "checkout.session.completed" in endpoint.enabled_events
        assert "whsec_" in told

    def test_brings_the_events_of_an_endpoint_up_to_date(self, wire):
        url = "https://purser.example/webhooks/stripe/"
        stripe_gateway.ensure_webhook_endpoint(
            url=url, events=["checkout.session.expired"]
        )

        self.run(webhook_url=url)

        [endpoint] = wire.client().v1.webhook_endpoints.list().data
        assert "checkout.session.completed" in endpoint.enabled_events

    def test_says_when_stripe_has_another_amount(self, wire):
        stripe_gateway.ensure_price(
            stripe_gateway.PriceToSell(
                lookup_key="purser_creator_v1_month",
                product_id="purser_creator",
                product_name="Creator",
                unit_cents=1_234,
                currency="usd",
                interval="month",
            )
        )

        with pytest.raises(CommandError, match="at 1234 usd, the catalogue at 2900"):
            self.run()


def test_the_catalogue_of_the_tests_is_that_of_the_file(offered):
    assert catalogue.publish(catalogue.read(), currency="usd") == 0
