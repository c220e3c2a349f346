"""Beat may tick never, twice or three times at once: each month is granted once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import Notice
from billing.models import Cycle, Interval, Invoice, WebhookSubject
from billing.plans import catalogue, renewing
from billing.webhooks import inbox
from credits import audits
from credits.models import CreditGrant, Wallet
from tests.billing.conftest import connected, on_plan
from tests.billing.plans import Plans
from tests.concurrency.racing import race
from tests.conftest import NOW
from tests.factories import make_account
from tests.stripe_wire import SECRET_KEY

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
GRANT_CYCLES = Path(settings.BASE_DIR) / "billing" / "sql" / "grant_cycles.sql"
ACCOUNTS, MONTHS = 12, 3
IN_JUNE = NOW.replace(month=6) + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def years():
    """Twelve accounts, each with three months of its paid year to grant."""
    catalogue.publish(catalogue.read(), currency="usd")
    return [on_plan("creator", interval=Interval.YEAR) for _ in range(ACCOUNTS)]


def beat(beats: int) -> list[int]:
    """Let so many beats tick at once until nothing is left; how much each granted."""

    def tick(_: int) -> int:
        return renewing.grant_due_cycles(limit=5, at=IN_JUNE)

    outcomes = race(tick, rounds=beats * 12, threads=beats)
    assert all(isinstance(outcome, int) for outcome in outcomes), outcomes
    return outcomes


def grants_of_each_cycle() -> Counter[int]:
    """Count how many times a month was granted: times -> months."""
    months = CreditGrant.objects.values_list("wallet_id", "effective_at")
    return Counter(Counter(months).values())


class TestBeats:
    @pytest.mark.parametrize("beats", [1, 2, 3])
    def test_of_any_number_grant_each_month_once(self, years, beats):
        assert sum(beat(beats)) == ACCOUNTS * MONTHS

        assert grants_of_each_cycle() == {1: ACCOUNTS * (MONTHS + 1)}
        assert not Cycle.objects.filter(granted_at=None, starts_at__lte=IN_JUNE)
        assert audits.verify() == []

    @pytest.mark.parametrize("pause", [MINUTE, 6 * 60 * MINUTE])
    def test_that_stopped_for_hours_catch_up_once(self, years, pause):
        """As good as one that ticks each minute: the same months, the same dates."""
        april = NOW.replace(month=4)
        for number, cycle in enumerate(Cycle.objects.filter(month=1).order_by("pk")):
            cycle.starts_at += number * 30 * MINUTE  # one after the other
            cycle.save()

        ticks = int(6 * 60 * MINUTE / pause)
        granted = [
            renewing.grant_due_cycles(limit=100, at=april + n * pause)
            for n in range(1, ticks + 1)
        ]

        assert sum(granted) == ACCOUNTS
        assert grants_of_each_cycle() == {1: 2 * ACCOUNTS}
        latest = CreditGrant.objects.latest("effective_at")
        assert latest.effective_at == april + 11 * 30 * MINUTE

    def test_of_none_leave_everything_to_the_next_one(self, years):
        assert grants_of_each_cycle() == {1: ACCOUNTS}

        beat(1)

        began = CreditGrant.objects.values_list("effective_at", flat=True).distinct()
        assert sorted(at.month for at in began) == [3, 4, 5, 6]


class TestWithoutGuards:
    """What keeps it to one: the claim of a month, and the key of its grant."""

    @pytest.fixture
    def without_claims(self, monkeypatch):
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)

    @pytest.fixture
    def without_keys(self, owner):
        text = GRANT_CYCLES.read_text()
        assert text.count("'cycle:' || id") == 1
        another = "'cycle:' || id || ':' || gen_random_uuid()"
        owner.execute(text.replace("'cycle:' || id", another))

    def test_the_key_alone_is_enough(self, years, without_claims):
        beat(3)

        assert grants_of_each_cycle() == {1: ACCOUNTS * (MONTHS + 1)}

    def test_the_claim_alone_is_enough(self, years, without_keys):
        beat(3)

        assert grants_of_each_cycle() == {1: ACCOUNTS * (MONTHS + 1)}

    @pytest.mark.twin
    def test_without_either_months_are_granted_twice(
        self, years, without_claims, without_keys
    ):
        beat(3)

        assert max(grants_of_each_cycle()) > 1


class TestEverybodyAtOnce:
    def test_hears_of_a_paid_plan_once(self, settings):
        """Webhooks of three objects, the return page and beat, all at one instant."""
        settings.STRIPE_SECRET_KEY = SECRET_KEY
        catalogue.publish(catalogue.read(), currency="usd")
        with connected() as wire:
            wire.at(NOW)
            plans = Plans(wire)
            account = make_account(billing_email="bills@example.com")
            session_id = plans.pay_for(account, "creator")
            for event in plans.news():
                plans.receive(event)
            subjects = WebhookSubject.objects.values_list("pk", flat=True)
            looks = [pk for pk in subjects for _ in range(2)]

            def step(n: int) -> None:
                if n < len(looks):
                    inbox.look_at(looks[n], at=NOW)
                inbox.look_again(
                    object_kind="checkout.session", object_id=session_id, at=NOW
                )
                renewing.grant_due_cycles(limit=5, at=NOW)

            race(step, rounds=len(looks), threads=6)
            plans.at += timedelta(hours=1)
            plans.work_off()

        assert Wallet.objects.get(account=account).available == 600
        assert (Cycle.objects.count(), Invoice.objects.count()) == (1, 1)
        assert Notice.objects.count() == 1
        assert not WebhookSubject.objects.exclude(last_error="").exists()
        assert audits.verify() == []
