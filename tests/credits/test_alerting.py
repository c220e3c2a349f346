"""Raising alerts: to whom, in the background, by many workers at once."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Notice, Role
from credits import alerts, tasks
from credits.models import Alert, AlertSettings, ExpiryWatch
from tests.concurrency.racing import race, tally
from tests.conftest import NOW
from tests.credits.watching import (
    CYCLE,
    DAY,
    begin_cycle,
    grant,
    look,
    look_ahead,
    subjects,
    thresholds,
    watch,
)
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates")


@pytest.fixture
def account(db):
    account = make_account("Northwind")
    make_member(account, Role.OWNER, "alice@example.com")
    return account


@pytest.fixture
def wallet(account):
    """100 credits of a paid cycle; warned below 500 and below 50."""
    wallet = make_wallet(account, {"plan": (100, None)}, way_forward="Buy more.")
    begin_cycle(wallet, *CYCLE)
    watch(wallet, thresholds=[500, 50])
    return wallet


class TestRecipients:
    def test_are_each_told_once_with_a_link_of_their_own(self, wallet):
        watch(wallet, [500], emails=["ops@example.com", "alice@example.com"])

        look()

        told = dict(Notice.objects.values_list("recipient", "text"))
        token = alerts.unsubscribe_token(wallet.pk, "ops@example.com")
        link = f"/alerts/unsubscribe/{token}/"
        assert set(told) == {"alice@example.com", "ops@example.com"}
        assert [email for email in told if link in told[email]] == ["ops@example.com"]

    def test_who_unsubscribed_are_left_out(self, wallet):
        alerts.unsubscribe(wallet=wallet, email="alice@example.com", at=NOW)

        look()

        assert subjects() == []
        assert thresholds() == [500]


class TestSweep:
    def test_raises_both_kinds(self, wallet, clock):
        watch(wallet, [500], days=[1])
        tasks.raise_alerts()
        grant(wallet, 4, NOW + 2 * DAY)
        clock.advance(DAY)

        tasks.raise_alerts()

        kinds = Alert.objects.order_by("pk").values_list("kind", flat=True)
        assert [*kinds] == ["LOW_BALANCE", "EXPIRY"]

    def test_costs_few_statements_when_nothing_changed(
        self, wallet, clock, django_assert_num_queries
    ):
        tasks.raise_alerts()

        # One looks for balances. For each number of days five look where the last one
        # came to, which credits and which plans came due since, and say so. Four steps
        # begin and end.
        with django_assert_num_queries(1 + 3 * 5 + 4 * 2):
            tasks.raise_alerts()

    def test_takes_chunks_until_all_are_told(self, account, clock):
        for n in range(12):
            watch(make_wallet(make_account(f"A{n}"), {"plan": (1, None)}), [10])

        tasks.raise_alerts()

        assert Alert.objects.count() == 12


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestTwoWorkers:
    def test_tell_each_threshold_once(self, wallet):
        others = [make_wallet(make_account(f"A{n}"), {"p": (1, None)}) for n in (1, 2)]
        for other in others:
            make_member(other.account, Role.OWNER)
            watch(other, [10])

        outcomes = race(lambda _: look(), rounds=8, threads=4)

        assert tally(outcomes) == {"int": 8}
        assert thresholds() == [10, 10, 500]
        assert len(subjects()) == 3

    def test_tell_each_expiry_once(self, account):
        wallet = make_wallet(account)
        look_ahead(7)
        grant(wallet, 30, NOW + 8 * DAY)

        outcomes = race(lambda _: look_ahead(7, at=NOW + DAY), rounds=8, threads=4)

        assert tally(outcomes) == {"int": 8}
        assert (thresholds(), len(subjects())) == ([7], 1)

    def test_do_not_wait_for_each_other(self, wallet):
        watch(wallet, [500], days=[7])
        look_ahead(7)
        grant(wallet, 30, NOW + 7 * DAY)
        with transaction.atomic():
            AlertSettings.objects.select_for_update().get()
            ExpiryWatch.objects.select_for_update().get()

            [low] = race(lambda _: look(), rounds=1, threads=1)
            [ending] = race(lambda _: look_ahead(7), rounds=1, threads=1)

        assert (low, ending) == (0, 0)
        assert (look(), look_ahead(7)) == (1, 1)

    def test_cannot_record_one_twice(self, wallet):
        look()
        again = Alert.objects.get()
        again.pk = None

        with pytest.raises(IntegrityError, match="alert_once_per_threshold_and_window"):
            again.save()
