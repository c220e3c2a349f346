"""Time travel: both clocks move, and what falls due happens in its order."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction

from billing import happenings, portal_clock, time_machine
from billing.happenings import Sort
from billing.models import Cycle, Interval, PortalClock
from billing.plans import renewing
from billing.stripe_gateway import sandbox
from config import clock
from credits.models import CreditGrant
from tests.architecture.production import ENVIRONMENT
from tests.billing.conftest import available
from tests.billing.plans import DAY, HOUR, Plans
from tests.conftest import NOW
from tests.factories import make_account

LATER = NOW + 40 * DAY
WEEK = 7 * DAY


@pytest.fixture
def plans(wire):
    """The portal and its Stripe at NOW, with the doors that the machine uses."""
    with sandbox.behind(wire.door):
        portal_clock.move(NOW)
        yield Plans(wire)


@pytest.fixture
def creator(plans):
    """An account that pays for Creator since NOW."""
    account = make_account("Lumen Films", billing_email="bills@example.com")
    plans.subscribe(account, "creator")
    return account


def texts(journey, sort):
    return [
        (one.at.date().isoformat(), one.text)
        for one in happenings.between(journey.since, journey.until, limit=100)
        if one.sort == sort
    ]


class TestTravel:
    def test_renews_at_stripe_and_here(self, plans, creator):
        journey = time_machine.travel(to=LATER, stride=WEEK)

        assert available(creator) == 1_200
        assert texts(journey, Sort.CREDITS) == [("2026-04-10", "Credits added: 600")]
        assert [day for day, _ in texts(journey, Sort.BILL)] == ["2026-04-10"]

    def test_ends_what_has_rolled_over_once(self, plans, creator):
        journey = time_machine.travel(to=NOW + 62 * DAY, stride=WEEK)

        assert available(creator) == 1_200
        assert texts(journey, Sort.CREDITS) == [
            ("2026-04-10", "Credits added: 600"),
            ("2026-05-10", "Expired: 600"),
            ("2026-05-10", "Credits added: 600"),
        ]

    def test_moves_both_clocks(self, plans, creator):
        time_machine.travel(to=LATER, stride=WEEK)

        assert timedelta() <= clock.now() - LATER < timedelta(minutes=1)
        assert plans.wire.sandbox.clock.now() == LATER.timestamp()

    def test_stops_where_a_paid_month_begins(self, plans):
        account = make_account()
        renewing.begin(
            account_id=account.pk,
            plan_code="business",
            interval=Interval.YEAR,
            anchor_at=NOW + timedelta(hours=1, seconds=1) - 365 * DAY,
            at=NOW,
        )
        renewing.renew(subscription_id=account.subscriptions.get().pk, at=NOW)

        journey = time_machine.travel(to=NOW + 3 * HOUR)

        begins_at = NOW + timedelta(hours=1, seconds=1)
        assert journey.stops == (begins_at, NOW + 3 * HOUR)

    def test_gives_up_on_a_card_that_fails(self, plans, creator):
        plans.let_cards_fail(creator.subscriptions.get())

        journey = time_machine.travel(to=NOW + 60 * DAY, stride=WEEK)

        assert creator.subscriptions.get().ended_at
        assert available(creator) == 0
        assert any("failed" in text for _, text in texts(journey, Sort.BILL))
        assert texts(journey, Sort.MAIL)

    def test_in_one_go_is_as_day_by_day(self, plans, creator):
        time_machine.travel(to=NOW + 33 * DAY, stride=WEEK)
        for day in range(34, 40):
            time_machine.travel(to=NOW + day * DAY, stride=WEEK)

        [first, second] = Cycle.objects.order_by("starts_at")
        assert (first.granted_at, second.ends_at) == (NOW, NOW + 61 * DAY)
        assert CreditGrant.objects.count() == 2

    def test_repeats_nothing_that_a_webhook_brought(self, plans, creator):
        time_machine.travel(to=LATER, stride=WEEK)
        grants = CreditGrant.objects.count()

        plans.at = LATER
        plans.hear()

        assert CreditGrant.objects.count() == grants

    def test_goes_on_only(self, plans):
        with pytest.raises(time_machine.CannotTravel, match="time only goes on"):
            time_machine.travel(to=NOW - DAY)

    def test_is_for_sandboxes_only(self, plans, settings):
        settings.IS_STRIPE_SANDBOX = False

        with pytest.raises(time_machine.CannotTravel, match="sandbox mode only"):
            time_machine.travel(to=LATER)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestAlone:
    def test_refuses_a_second_traveler(self):
        other = connections["owner"]
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [time_machine._TRAVELING])

        with pytest.raises(time_machine.CannotTravel, match="Somebody else"):
            time_machine.travel(to=clock.now() + DAY)

        other.close()


class TestPortalClock:
    def test_is_followed_by_other_processes(self, plans):
        clock.set_offset(timedelta())

        portal_clock.follow()

        assert timedelta() <= clock.now() - NOW < timedelta(minutes=1)

    def test_is_followed_by_each_request(self, plans, client, settings):
        settings.MIDDLEWARE = ["config.http.PortalClockMiddleware"]
        clock.set_offset(timedelta())

        client.get("/livez")

        assert clock.offset() == PortalClock.objects.get().offset

    def test_is_followed_by_each_task(self, plans):
        from celery.signals import task_prerun

        clock.set_offset(timedelta())

        task_prerun.send(sender=None)

        assert clock.offset() == PortalClock.objects.get().offset

    def test_is_put_right(self, plans):
        portal_clock.put_right()
        portal_clock.follow()

        assert clock.offset() == timedelta()

    def test_is_one(self, plans):
        with pytest.raises(IntegrityError), transaction.atomic():
            PortalClock.objects.create(id=2, offset=DAY)


class TestCommand:
    def test_tells_what_happened(self, plans, creator):
        told = io.StringIO()

        call_command("timetravel", by="40d", stdout=told)

        assert "2026-04-10 13:00  Lumen Films: Credits added: 600" in told.getvalue()
        assert "It is 2026-04-19 12:00 UTC" in told.getvalue()

    def test_takes_an_instant(self, plans):
        call_command("timetravel", to="2026-03-12T00:00Z", stdout=io.StringIO())

        assert clock.now().date() == datetime(2026, 3, 12, tzinfo=UTC).date()

    @pytest.mark.parametrize(
        "wanted", [{"to": "2026-05-01"}, {"to": "soon"}, {"by": "40"}, {"by": "-1d"}]
    )
    def test_says_what_it_does_not_understand(self, plans, wanted):
        with pytest.raises(CommandError):
            call_command("timetravel", **wanted)


class TestProduction:
    def test_has_no_time_machine(self):
        program = (
            "import django; django.setup();"
            "from django.conf import settings; from django.urls import resolve;"
            "print([name for name in settings.MIDDLEWARE if 'Clock' in name]);"
            "resolve('/staff/time/')"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=django_settings.BASE_DIR,
            env={**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ran.stdout == "[]\n"
        assert "Resolver404" in ran.stderr
