"""The sweeper, which only posts what every reader and spender already knows (R17)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections

from config.clock import now
from credits import audits, chunks, ledger, tasks
from credits.models import Hold, LedgerEntry, Wallet
from tests.concurrency.racing import race
from tests.conftest import NOW
from tests.factories import make_wallet, remaining


@pytest.mark.django_db
class TestExpireDueGrants:
    def test_expires_every_wallet_that_is_due(self, monkeypatch):
        monkeypatch.setattr(tasks, "_FIRST_CHUNK", 2)
        for _ in range(5):
            make_wallet(grants={"gone": (10, timedelta(seconds=1)), "kept": (5, None)})

        tasks.expire_due_grants()

        assert LedgerEntry.objects.filter(kind="EXPIRE").count() == 5
        assert set(Wallet.objects.values_list("balance", flat=True)) == {5}

    def test_leaves_what_is_not_due(self):
        wallet = make_wallet(grants={"a": (10, now() - NOW + timedelta(days=1))})

        tasks.expire_due_grants()

        assert remaining(wallet) == {"a": 10}

    def test_changes_nothing_the_second_time(self):
        make_wallet(grants={"gone": (10, timedelta(seconds=1))})

        tasks.expire_due_grants()
        tasks.expire_due_grants()

        assert LedgerEntry.objects.filter(kind="EXPIRE").count() == 1

    def test_ends_when_its_time_is_up(self, monkeypatch):
        monkeypatch.setattr(chunks, "BUDGET", timedelta(0))
        make_wallet(grants={"gone": (10, timedelta(seconds=1))})

        tasks.expire_due_grants()

        assert not LedgerEntry.objects.filter(kind="EXPIRE").exists()

    def test_forgets_a_date_that_no_grant_has_any_more(self):
        wallet = make_wallet(grants={"spent": (1, timedelta(seconds=1))})
        ledger.spend(
            ledger.Spend(wallet.pk, (ledger.UsedLine("look", 1, 1, 1),), "k", "test"),
            at=NOW,
        )

        tasks.expire_due_grants()

        assert Wallet.objects.get(pk=wallet.pk).next_expiry_at is None

    def test_releases_a_hold_past_its_time(self):
        wallet = make_wallet(grants={"kept": (10, None)})
        held = ledger.hold(
            wallet_id=wallet.pk,
            credits=4,
            rate_version=1,
            idempotency_key="job",
            actor="test",
            at=NOW,
        )

        tasks.expire_due_grants()

        assert Hold.objects.get(pk=held.hold_id).state == "EXPIRED"
        release = LedgerEntry.objects.get(kind="RELEASE")
        assert (release.held, release.occurred_at) == (-4, NOW + ledger.TIME_TO_LIVE)
        assert Wallet.objects.get(pk=wallet.pk).available == 10

    def test_goes_on_while_there_is_more_in_chunks_of_a_fitting_size(self, monkeypatch):
        """Quick chunks grow, slow ones shrink; one that is not full is the last."""
        took = [10, 10, 60, 40, 10]
        clock = iter([NOW, *(NOW + timedelta(milliseconds=n) for n in running(took))])
        monkeypatch.setattr(chunks, "now", lambda: next(clock))
        asked = []

        def expire_due(*, limit, at):
            asked.append(limit)
            return limit if len(asked) < len(took) else limit - 1

        monkeypatch.setattr(ledger, "expire_due", expire_due)

        tasks.expire_due_grants()

        assert asked == [100, 200, 400, 200, 200]


class TestNextChunk:
    @pytest.mark.parametrize(
        ("chunk", "took", "following"),
        [
            (100, 24, 200),
            (100, 25, 100),
            (100, 50, 100),
            (100, 51, 50),
            (80, 900, 50),
            (1, 900, 1),
            (3_200, 1, 3_200),
        ],
    )
    def test_aims_at_fifty_milliseconds(self, chunk, took, following):
        took = timedelta(milliseconds=took)

        assert chunks.next_chunk(chunk, took=took) == following


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestTwoWorkers:
    def test_expire_each_wallet_once(self, monkeypatch):
        monkeypatch.setattr(tasks, "_FIRST_CHUNK", 2)
        for _ in range(40):
            make_wallet(grants={"gone": (10, timedelta(seconds=1))})

        outcomes = race(lambda _: tasks.expire_due_grants(), rounds=2, threads=2)

        assert outcomes == [None, None]
        assert LedgerEntry.objects.filter(kind="EXPIRE").count() == 40
        assert set(Wallet.objects.values_list("balance", flat=True)) == {0}
        assert audits.verify() == []

    def test_pass_over_what_another_has_locked(self):
        locked, free = (
            make_wallet(grants={"gone": (10, timedelta(seconds=1))}) for _ in range(2)
        )
        with connections["owner"].cursor() as other:
            other.execute("BEGIN")
            other.execute(
                "SELECT FROM credits_wallet WHERE id = %s FOR UPDATE", [locked.pk]
            )

            tasks.expire_due_grants()

            other.execute("ROLLBACK")
        assert remaining(free) == {"gone": 0}
        assert remaining(locked) == {"gone": 10}


def running(numbers):
    return [sum(numbers[:end]) for end in range(1, len(numbers) + 1)]
