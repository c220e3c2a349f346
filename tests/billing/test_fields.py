"""Money and instants that people type, or what they are told to type instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django import forms
from django.core.exceptions import ValidationError

from billing.forms import InstantField, MoneyField


class _Order(forms.Form):
    price = MoneyField()


class TestMoneyField:
    @pytest.mark.parametrize(
        ("typed", "cents"),
        [
            ("12.50", 1_250),
            ("12.5", 1_250),
            ("12", 1_200),
            (" 0.07 ", 7),
            ("0", 0),
            ("999999.99", 99_999_999),
        ],
    )
    def test_returns_cents(self, typed, cents):
        assert MoneyField().clean(typed) == cents

    @pytest.mark.parametrize(
        "typed", ["12,50", "12.505", "1,250", "-1", "1e2", "NaN", "$5", ".5", "\u0665"]
    )
    def test_says_how_to_type_it(self, typed):
        with pytest.raises(ValidationError, match=r"Type an amount like 12\.50\."):
            MoneyField().clean(typed)

    @pytest.mark.parametrize("typed", ["1000000", "9" * 30])
    def test_refuses_more_than_stripe_can_charge(self, typed):
        with pytest.raises(ValidationError, match=r"at most 999999\.99\."):
            MoneyField().clean(typed)

    def test_may_be_left_empty_where_it_is_not_required(self):
        assert MoneyField(required=False).clean("") is None

    def test_shows_cents_as_they_are_typed(self):
        form = _Order(initial={"price": 1_205})

        assert 'value="12.05"' in str(form["price"])

    def test_shows_what_was_typed_again(self):
        form = _Order({"price": "12,05"})

        assert 'value="12,05"' in str(form["price"])


class TestInstantField:
    @pytest.mark.parametrize("typed", ["2026-03-10T14:30", "2026-03-10T14:30:59.5"])
    def test_returns_the_minute_in_utc(self, typed):
        assert InstantField().clean(typed) == datetime(2026, 3, 10, 14, 30, tzinfo=UTC)

    @pytest.mark.parametrize("typed", ["", "2026-02-30T14:30", "tomorrow"])
    def test_says_what_to_choose(self, typed):
        with pytest.raises(ValidationError, match="Choose a day and a time"):
            InstantField().clean(typed)

    def test_may_be_left_empty_where_it_is_not_required(self):
        assert InstantField(required=False).clean("") is None

    def test_shows_an_instant_in_utc(self):
        tokyo = timezone(timedelta(hours=9))
        instant = datetime(2026, 3, 10, 23, 30, tzinfo=tokyo)

        assert InstantField().prepare_value(instant) == "2026-03-10T14:30"
