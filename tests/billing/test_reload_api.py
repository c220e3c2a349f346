"""What the product's backend is told, and what starts, when credits run short (R45)."""

from __future__ import annotations

import pytest

from accounts import keys
from accounts.models import Scope
from billing import tasks
from billing.models import Reload, ReloadState, ReloadTrigger
from billing.reloads import reloading
from billing.reloads import settings as reload_settings
from config import clock
from credits.models import Wallet
from tests.billing.conftest import available
from tests.billing.reloads import agree, paid, save_card, skips, use
from tests.conftest import NOW
from tests.credits.conftest import Caller, _forget_rates, rates

pytestmark = [
    pytest.mark.usefixtures("_forget_rates", "rates", "at_now"),
    pytest.mark.django_db(transaction=True, databases=["default", "owner"]),
]
__all__ = ["_forget_rates", "rates"]


@pytest.fixture
def at_now():
    clock.set_offset(NOW - clock.real_now())


@pytest.fixture
def auto(wire, business, alice):
    """Below 500 of 1,500 credits: 3 blocks of 100 for $5 each."""
    return agree(business, alice, save_card(wire, business))


@pytest.fixture
def told(monkeypatch):
    """What the worker was told to do: done here by hand."""
    sent: list[tuple[str, int]] = []
    for task in (tasks.reload, tasks.charge):
        name = task.name.rpartition(".")[2]
        monkeypatch.setattr(
            task, "delay", lambda name=name, **row: sent.append((name, *row.values()))
        )
    return sent


@pytest.fixture
def caller(business):
    issued = keys.issue(name="Renderer", scopes=tuple(Scope), account=business, at=NOW)
    return Caller(issued.secret)


def looks(account, number: int) -> dict:
    lines = [{"feature": "look", "quantity": number}]
    return {"account": account.public_id, "lines": lines}


class TestRefusedJob:
    def test_starts_a_reload_and_says_so(self, caller, business, auto, told):
        use(business, 900)

        refused = caller.post("/debits", looks(business, 650), key="a")

        assert refused.status_code == 402
        assert refused.json()["reload"] == "started"
        reload = Reload.objects.get()
        assert (reload.trigger, reload.needed) == (ReloadTrigger.REFUSED_JOB, 650)
        assert told == [("charge", reload.pk)]

    def test_goes_through_when_it_is_sent_again(
        self, wire, caller, business, auto, told
    ):
        use(business, 900)
        caller.post("/debits", looks(business, 650), key="a")

        tasks.charge(reload_id=Reload.objects.get().pk)

        assert paid(wire) == [3_000]
        assert caller.post("/debits", looks(business, 650), key="a").status_code == 201

    def test_is_told_that_one_is_under_way(self, caller, business, auto, told):
        use(business, 900)
        for key in "abc":
            refused = caller.post("/debits", looks(business, 650), key=key)

        assert refused.json()["reload"] == "skipped (PENDING)"
        assert skips(business) == ["PENDING"]
        assert len(told) == 1

    def test_is_told_why_there_is_none(self, caller, business, alice, auto, told):
        use(business, 1_400)

        refused = caller.post("/debits", looks(business, 5_000), key="a")

        assert refused.json()["reload"] == "skipped (NEEDS_MORE)"
        assert told == []

    def test_hears_nothing_where_auto_reload_is_off(self, caller, business, told):
        refused = caller.post("/debits", looks(business, 1_600), key="a")

        assert refused.status_code == 402
        assert "reload" not in refused.json()

    def test_may_be_a_hold(self, caller, business, auto, told):
        use(business, 900)

        refused = caller.post("/holds", looks(business, 650), key="a")

        assert refused.json()["reload"] == "started"

    def test_may_be_an_item_of_a_batch(self, caller, business, auto, told):
        use(business, 900)
        items = [{**looks(business, 650), "key": key} for key in "ab"]

        answer = caller.post("/debits/batch", {"items": items}).json()

        assert [result["reload"] for result in answer["results"]] == ["started"] * 2
        assert Reload.objects.count() == 1


class TestFall:
    def test_below_the_threshold_is_looked_at(self, wire, caller, business, auto, told):
        caller.post("/debits", looks(business, 1_001), key="a")

        assert told == [("reload", business.pk)]
        tasks.reload(account_id=business.pk)
        assert paid(wire) == [1_500]
        assert available(business) == 799

    def test_to_the_threshold_is_not(self, caller, business, auto, told):
        caller.post("/debits", looks(business, 1_000), key="a")

        assert told == []

    def test_is_watched_for_by_the_threshold_of_now(
        self, wire, caller, business, alice, auto, told
    ):
        agree(business, alice, save_card(wire, business), threshold=1_495)

        caller.post("/debits", looks(business, 5), key="a")
        assert told == []
        caller.post("/debits", looks(business, 1), key="b")
        assert told == [("reload", business.pk)]

    def test_is_not_watched_for_once_it_is_off(
        self, caller, business, alice, auto, told
    ):
        reload_settings.turn_off(business, by=alice, at=NOW)

        caller.post("/debits", looks(business, 1_001), key="a")

        assert Wallet.objects.get(account=business).watched_below is None
        assert told == []

    def test_by_a_hold_is_looked_at(self, caller, business, auto, told):
        caller.post("/holds", looks(business, 1_001), key="a")

        assert told == [("reload", business.pk)]

    def test_during_a_reload_is_not_looked_at_again(self, caller, business, auto, told):
        use(business, 1_100)
        reloading.consider(
            account_id=business.pk, trigger=ReloadTrigger.THRESHOLD, at=NOW
        )

        caller.post("/debits", looks(business, 10), key="a")

        assert told == []

    def test_is_found_by_the_sweeper_without_a_worker(
        self, wire, caller, business, auto, told
    ):
        caller.post("/debits", looks(business, 1_001), key="a")

        tasks.sweep()

        assert Reload.objects.get().state == ReloadState.PAID
        assert paid(wire) == [1_500]
