"""The work queue, worked on by many at once."""

from __future__ import annotations

from time import sleep

import pytest

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import work_items
from billing.console import queue
from billing.models import WorkItem, WorkState
from billing.plans import catalogue
from tests.billing.conftest import on_plan
from tests.billing.queued import (
    TWO_DAYS_LATER,
    held,
    report,
    top_up,
    unbilled,
    wallet_of,
)
from tests.concurrency.racing import CALLERS, race, tally
from tests.conftest import NOW
from tests.factories import make_staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture
def business():
    catalogue.publish(catalogue.read(), currency="usd")
    return on_plan("business")


@pytest.fixture
def staff():
    return [make_staff(StaffGroup.SUPPORT) for _ in range(CALLERS)]


class TestTake:
    def test_of_one_item_is_done_by_one(self, business, staff):
        shown = WorkItem.objects.get(pk=unbilled(business).pk)

        outcomes = race(
            lambda n: queue.take(shown, by=staff[n], at=NOW),
            rounds=CALLERS,
            threads=CALLERS,
        )

        assert tally(outcomes) == {"NoneType": 1, "TakenMeanwhile": CALLERS - 1}
        assert AuditEvent.objects.filter(action="work.taken").count() == 1


class TestCharge:
    def test_by_staff_and_backend_at_once_takes_credits_once(self, business, staff):
        item = unbilled(business, 10)
        hold = queue.Hold.objects.select_related("wallet").get(public_id=item.subject)
        top_up(business, 500)

        def charge(n: int) -> object:
            if n % 2:
                return report(hold, 10, key=f"end{n}")
            return queue.charge(item, by=staff[n], at=TWO_DAYS_LATER)

        outcomes = race(charge, rounds=CALLERS, threads=CALLERS)

        assert tally(outcomes).keys() <= {"Settled", "NoneType", "NotOpen"}
        assert wallet_of(business).available == 490
        assert WorkItem.objects.get().state == WorkState.DONE


class TestNote:
    def test_of_the_same_by_many_is_one_item(self, business):
        race(
            lambda _: work_items.note_missing_rate(
                rate_plan="standard", version=1, feature="hologram", at=NOW
            ),
            rounds=CALLERS,
            threads=CALLERS,
        )

        assert WorkItem.objects.count() == 1

    def test_of_absorbed_costs_loses_none(self, business):
        holds = [held(business, 10, key=f"job{n}") for n in range(CALLERS)]

        race(
            lambda n: report(holds[n], 13, key=f"end{n}", at=NOW),
            rounds=CALLERS,
            threads=CALLERS,
        )

        item = WorkItem.objects.get()
        assert (item.credits, item.times_seen) == (3 * CALLERS, CALLERS)


@pytest.mark.twin
def test_without_its_lock_an_item_is_taken_by_several(business, staff, monkeypatch):
    """The twin of the race for one item: it must fail without the lock."""
    shown = WorkItem.objects.get(pk=unbilled(business).pk)
    record = queue.auditing.record

    def slowly(**what):
        sleep(0.2)  # what was taken is not committed yet
        return record(**what)

    monkeypatch.setattr(queue.auditing, "record", slowly)
    monkeypatch.setattr(
        queue, "_locked_open", lambda item: WorkItem.objects.get(pk=item.pk)
    )

    outcomes = race(
        lambda n: queue.take(shown, by=staff[n], at=NOW),
        rounds=CALLERS,
        threads=CALLERS,
    )

    assert tally(outcomes)["NoneType"] > 1
