"""Workers that add up the days of one wallet at once."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.conf import settings

from credits import audits, usage, usage_days
from credits.core.spans import span_of_days
from tests.concurrency.racing import race
from tests.conftest import NOW
from tests.credits.usage_jobs import line, use
from tests.factories import make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

LOCK = "FOR UPDATE SKIP LOCKED"
JOBS = 60


@pytest.fixture
def wallet(monkeypatch):
    monkeypatch.setattr(usage_days, "CHUNK", 5)
    wallet = make_wallet(grants={"plan": (1_000, None)})
    for n in range(JOBS):
        use(wallet, line(), at=NOW + n * timedelta(hours=1))
    return wallet


@pytest.fixture
def without_lock(owner):
    text = (settings.BASE_DIR / "credits" / "sql" / "usage.sql").read_text()
    assert text.count(LOCK) == 1
    owner.execute(text.replace(LOCK, ""))


def add_up(wallet) -> None:
    race(lambda _: usage_days.add_up(wallet.pk, "UTC"), rounds=200, threads=4)


def total(wallet) -> int:
    span = span_of_days(NOW.date(), NOW.date() + timedelta(days=9), UTC)
    found = usage.rows_of(wallet.pk, span=span, zone=UTC)
    return sum(row.credits for row in found)


class TestWorkers:
    def test_add_each_entry_once(self, wallet):
        add_up(wallet)

        assert total(wallet) == JOBS
        assert audits.verify() == []

    @pytest.mark.twin
    def test_would_add_some_twice_without_the_lock(self, wallet, without_lock):
        add_up(wallet)

        assert audits.verify() != []
