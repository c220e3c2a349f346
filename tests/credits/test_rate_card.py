"""The published rates, row by row as the offer states them (R0)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from credits import quoting, rate_cards
from credits.core.rating import JobLine
from credits.models import Rate, RateCard
from tests.conftest import NOW

MINUTE = 60_000
SECOND = 1_000

OFFER = [
    ("avatar-iii", MINUTE, 3),
    ("avatar-iii", 20 * SECOND, 1),
    ("avatar-iii", 20 * SECOND + 1, 2),
    ("avatar-iv", MINUTE, 20),
    ("avatar-iv", 3 * SECOND, 1),
    ("avatar-iv", 4_600, 2),
    ("avatar-iv", 72 * SECOND, 24),
    ("expressive-motion", MINUTE, 40),
    ("expressive-motion", 30 * SECOND, 20),
    ("look", 1, 1),
    ("look", 7, 7),
    ("model-training", 1, 60),
    ("translation", MINUTE, 5),
    ("translation", 12 * SECOND, 1),
    ("translation-precision", MINUTE, 10),
    ("translation-precision", 61 * SECOND, 11),
    ("audio-dubbing", MINUTE, 2),
    ("image", 1, 2),
    ("image", 5, 10),
    ("seedance-2", SECOND, 4),
    ("seedance-2", 251, 2),
    ("veo-3", 1, 90),
    ("video-agent", MINUTE, 20),
    ("b-roll", 1, 3),
    ("video-podcast", MINUTE, 3),
    ("speech", 5 * MINUTE, 1),
    ("speech", 5 * MINUTE + 1, 2),
]


@pytest.mark.usefixtures("rates")
class TestOffer:
    @pytest.mark.parametrize(("feature", "quantity", "credits"), OFFER)
    def test_costs_what_the_offer_says(self, feature, quantity, credits):
        quote = quoting.quote(
            lines=[JobLine(feature, quantity)], rate_plan="standard", at=NOW
        )

        assert (quote.credits, quote.rate_version) == (credits, 1)

    def test_prices_every_feature_of_the_card(self):
        table = quoting.rates_in_force(rate_plan="standard", at=NOW)

        assert {rate.feature for rate in table.rates} == {row[0] for row in OFFER}

    def test_shows_each_rate_exactly(self):
        table = quoting.rates_in_force(rate_plan="standard", at=NOW)

        rounded = [
            rate.feature
            for rate in table.rates
            if rate.shown_credits * rate.per
            != rate.credits * quoting.SHOWN_MS.get(rate.shown_per, 1)
        ]

        assert rounded == []

    def test_shows_rates_in_words(self):
        table = quoting.rates_in_force(rate_plan="standard", at=NOW)

        shown = {rate.feature: rate.shown for rate in table.rates}

        assert shown["avatar-iv"] == "20 credits per minute"
        assert shown["speech"] == "1 credit per 5 minutes"
        assert shown["veo-3"] == "90 credits per generation"

    def test_includes_dubbing_in_legacy_plans_and_nothing_else(self):
        def prices(rate_plan):
            table = quoting.rates_in_force(rate_plan=rate_plan, at=NOW)
            return {(rate.feature, rate.credits, rate.per) for rate in table.rates}

        assert prices("legacy") - prices("standard") == {("audio-dubbing", 0, MINUTE)}


@pytest.mark.django_db
class TestInForce:
    def test_is_the_last_version_that_has_started(self):
        publish(version=1, starts_at=NOW - timedelta(days=2))
        publish(version=2, starts_at=NOW)

        before = quoting.rates_in_force(
            rate_plan="standard", at=NOW - timedelta(microseconds=1)
        )
        after = quoting.rates_in_force(rate_plan="standard", at=NOW)

        assert (before.version, after.version) == (1, 2)

    def test_prices_nothing_without_a_card(self):
        with pytest.raises(quoting.NoRateCard, match="“standard”"):
            quoting.rates_in_force(rate_plan="standard", at=NOW)

    def test_reads_a_published_card_once(self, django_assert_num_queries):
        publish(version=1, starts_at=NOW)
        quoting.rates_in_force(rate_plan="standard", at=NOW)

        with django_assert_num_queries(1):
            quoting.rates_in_force(rate_plan="standard", at=NOW)


@pytest.mark.django_db
class TestPublish:
    def test_publishes_a_card_once(self):
        card, _ = rate_cards.read()

        first, second = (rate_cards.publish(card, at=NOW) for _ in range(2))

        assert (first, second) == (True, False)
        assert Rate.objects.filter(rate_card__rate_plan="standard").count() == 15

    def test_refuses_to_edit_a_published_card(self):
        card, _ = rate_cards.read()
        rate_cards.publish(card, at=NOW)
        cheaper = replace(card.lines[0], credits=1)

        with pytest.raises(
            rate_cards.PublishedCardEdited, match=r"never edited \(R96\)"
        ) as refusal:
            rate_cards.publish(
                replace(card, lines=(cheaper, *card.lines[1:-1])), at=NOW
            )

        assert "avatar-iii, speech" in str(refusal.value)
        assert Rate.objects.get(feature="avatar-iii").credits == 3

    def test_refuses_to_move_the_start_of_a_published_card(self):
        card, _ = rate_cards.read()
        rate_cards.publish(card, at=NOW)

        with pytest.raises(rate_cards.PublishedCardEdited, match="in: starts_at"):
            rate_cards.publish(replace(card, starts_at=NOW), at=NOW)

    def test_command_loads_the_file_twice_without_a_change(self, capsys):
        call_command("load_rate_card")
        call_command("load_rate_card")

        assert RateCard.objects.count() == 2
        assert "was published before" in capsys.readouterr().out

    def test_command_names_an_edited_card(self, tmp_path, monkeypatch):
        call_command("load_rate_card")
        edited = tmp_path / "rate_card.toml"
        edited.write_text(
            rate_cards.RATE_CARD_FILE.read_text().replace(
                'shown_per = "look"', 'shown_per = "set of looks"'
            )
        )
        monkeypatch.setattr(rate_cards, "read", partial(rate_cards.read, edited))

        with pytest.raises(CommandError, match="differs from the file in: look"):
            call_command("load_rate_card")


def publish(*, version: int, starts_at) -> None:
    card, _ = rate_cards.read()
    rate_cards.publish(replace(card, version=version, starts_at=starts_at), at=NOW)
