"""Free videos: the counter of a calendar month, and what callers are told (R106)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from credits import ledger
from credits.models import FreeVideo, SpendingBlock, Wallet
from tests.conftest import NOW
from tests.factories import make_account

MOMENT = timedelta(microseconds=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def put_on_free(account=None, *, quota: int | None = 2, **dates) -> Wallet:
    """A wallet as on Free: blocked, with so many free videos of a minute."""
    account = account or make_account()
    wallet_id = ledger.open_wallet(account_id=account.pk, at=NOW)
    ledger.set_terms(
        wallet_id=wallet_id,
        spending_block=SpendingBlock.NO_PAID_PLAN,
        way_forward="Choose a paid plan.",
        cycle_starts_at=None,
        cycle_ends_at=None,
        free_videos=quota,
        free_video_ms=quota and 60_000,
        **dates,
    )
    return Wallet.objects.get(pk=wallet_id)


def claim(wallet, key="a", *, at=NOW, milliseconds=1_000, **said) -> ledger.Claimed:
    return ledger.claim_free_video(
        wallet_id=wallet.pk,
        milliseconds=milliseconds,
        idempotency_key=key,
        actor="test",
        at=at,
        **said,
    )


def used(wallet, *, at=NOW) -> int:
    return ledger.free_videos(wallet_id=wallet.pk, at=at).used


@pytest.mark.django_db
class TestClaim:
    def test_counts_from_one(self):
        wallet = put_on_free()

        numbers = [claim(wallet, key).number for key in "ab"]

        assert numbers == [1, 2]
        assert used(wallet) == 2

    def test_is_refused_with_the_date_when_there_are_no_more(self):
        wallet = put_on_free(quota=1)
        claim(wallet)

        with pytest.raises(ledger.FreeVideosUsedUp) as refusal:
            claim(wallet, "b")

        assert refusal.value.starts_again_at == APRIL
        assert str(refusal.value) == (
            "Free videos used this month: 1 of 1. The counter starts again on"
            " 2026-04-01 (UTC)."
        )

    def test_repeated_tells_the_first_result(self):
        wallet = put_on_free()
        first = claim(wallet, reference="film")

        again = claim(wallet, reference="film", at=APRIL)

        assert (first.is_replay, again.is_replay) == (False, True)
        assert (again.number, again.claimed_at) == (1, NOW)
        assert again.starts_again_at == APRIL
        assert used(wallet) == 1

    @pytest.mark.parametrize("other", [{"milliseconds": 2}, {"reference": "b"}])
    def test_of_another_video_under_the_same_key_is_a_conflict(self, other):
        wallet = put_on_free()
        claim(wallet)

        with pytest.raises(ledger.IdempotencyConflict):
            claim(wallet, **other)

        assert used(wallet) == 1

    def test_of_a_video_that_is_too_long_is_refused(self):
        wallet = put_on_free()
        claim(wallet, milliseconds=60_000)

        with pytest.raises(ledger.FreeVideoTooLong):
            claim(wallet, "b", milliseconds=60_001)

        assert used(wallet) == 1

    def test_is_for_free_only(self):
        wallet = put_on_free(quota=None)

        with pytest.raises(ledger.NoFreeVideos):
            claim(wallet)

        assert ledger.free_videos(wallet_id=wallet.pk, at=NOW) is None

    def test_needs_a_wallet(self):
        with pytest.raises(ledger.WalletNotFound):
            claim(Wallet(pk=0))

    def test_stays_when_the_quota_shrinks(self):
        wallet = put_on_free(quota=2)
        claim(wallet, "a")
        claim(wallet, "b")

        put_on_free(wallet.account, quota=1)

        videos = ledger.free_videos(wallet_id=wallet.pk, at=NOW)
        assert (videos.used, videos.quota, videos.left) == (2, 1, 0)


@pytest.mark.django_db
class TestMonth:
    @pytest.mark.parametrize(
        ("at", "starts_again_at"),
        [
            ("2026-12-31T23:59:59+00:00", "2027-01-01T00:00:00+00:00"),
            ("2028-02-29T12:00:00+00:00", "2028-03-01T00:00:00+00:00"),
            # Already April in Tokyo, and the day on which clocks change in Berlin.
            ("2026-04-01T00:30:00+09:00", "2026-04-01T00:00:00+00:00"),
            ("2026-03-29T03:00:00+02:00", "2026-04-01T00:00:00+00:00"),
        ],
    )
    def test_is_one_of_utc(self, at, starts_again_at):
        wallet = put_on_free()

        claimed = claim(wallet, at=datetime.fromisoformat(at))

        assert claimed.starts_again_at == datetime.fromisoformat(starts_again_at)

    def test_begins_at_its_first_instant(self):
        wallet = put_on_free(quota=1)
        claim(wallet, at=APRIL - MOMENT)

        claim(wallet, "b", at=APRIL)

        assert (used(wallet, at=APRIL - MOMENT), used(wallet, at=APRIL)) == (1, 1)


@pytest.mark.django_db
class TestAfterAPaidPlan:
    def test_begins_at_its_end_whoever_looks_first(self):
        """R67: told before, and true at the instant."""
        wallet = put_on_free(plan_ends_at=NOW)

        with pytest.raises(ledger.NoFreeVideos):
            claim(wallet, at=NOW - MOMENT)

        assert claim(wallet, at=NOW).number == 1

    def test_starts_afresh(self):
        wallet = put_on_free(quota=1)
        claim(wallet)

        put_on_free(wallet.account, quota=1, plan_ends_at=NOW + timedelta(days=2))

        assert used(wallet, at=NOW + timedelta(days=2)) == 0


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE credits_freevideo SET number = 1",
            "DELETE FROM credits_freevideo",
            "INSERT INTO credits_freevideo DEFAULT VALUES",
        ],
    )
    def test_refuses_the_application(self, statement):
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.cursor().execute(statement)

    def test_refuses_its_owner_to_take_a_claim_back(self):
        claim(put_on_free())

        with pytest.raises(DatabaseError, match="append-only"):
            connections["owner"].cursor().execute("DELETE FROM credits_freevideo")

        assert FreeVideo.objects.count() == 1

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE credits_wallet SET free_videos = 0",
            "UPDATE credits_wallet SET free_videos = NULL",
            "UPDATE credits_wallet SET free_video_ms = 0",
        ],
    )
    def test_refuses_terms_that_cannot_be(self, statement):
        put_on_free()

        with (
            pytest.raises(IntegrityError, match="wallet_facts"),
            transaction.atomic(using="owner"),
        ):
            connections["owner"].cursor().execute(statement)


@pytest.mark.usefixtures("rates", "clock")
class TestApi:
    @pytest.fixture
    def wallet(self, db) -> Wallet:
        return put_on_free(make_account("Solo"))

    @pytest.fixture
    def send(self, caller_for, wallet):
        caller = caller_for(wallet.account)

        def send(key="a", **changed):
            video = {"account": wallet.account.public_id, "milliseconds": 45_000}
            return caller.post("/free-videos", video | changed, key=key)

        return send

    def test_counts_a_video(self, send, wallet):
        response = send(reference="film")

        assert response.status_code == 201
        assert response.json() == {
            "account": wallet.account.public_id,
            "number": 1,
            "quota": 2,
            "milliseconds": 45_000,
            "reference": "film",
            "claimed_at": "2026-03-10T12:00:00Z",
            "starts_again_at": "2026-04-01T00:00:00Z",
        }

    def test_repeats_the_first_result_word_for_word(self, send, clock):
        first = send()
        clock.advance(timedelta(days=40))

        again = send()

        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_refuses_one_more_and_says_when_the_counter_starts_again(self, send):
        send("a")
        send("b")

        refused = send("c")

        assert refused.status_code == 402
        assert refused.json() == {
            "type": "/api/v1/problems/free-videos-used-up",
            "title": "No free videos are left",
            "status": 402,
            "detail": "Free videos used this month: 2 of 2. The counter starts again"
            " on 2026-04-01 (UTC).",
            "quota": 2,
            "starts_again_at": "2026-04-01T00:00:00Z",
            "way_forward": "Choose a paid plan.",
        }

    def test_takes_a_refused_key_again_when_the_counter_has_started_again(
        self, send, clock
    ):
        send("a")
        send("b")
        assert send("c").status_code == 402
        clock.advance(timedelta(days=22))

        assert send("c").status_code == 201

    def test_points_at_a_length_that_is_too_much(self, send):
        refused = send(milliseconds=60_001)

        assert refused.status_code == 422
        assert refused.json()["errors"] == [
            {
                "detail": "A free video has 60000 milliseconds at most.",
                "pointer": "#/milliseconds",
            }
        ]

    def test_sends_paid_plans_to_their_credits(self, send, wallet):
        put_on_free(wallet.account, quota=None)

        refused = send()

        assert (refused.status_code, refused.json()["way_forward"]) == (
            402,
            "Videos of this account cost credits: hold or debit them.",
        )

    def test_does_not_know_other_accounts(self, send):
        other = put_on_free(make_account("Other"))

        assert send(account=other.account.public_id).status_code == 404
        assert used(other) == 0

    def test_tells_them_with_the_balance(self, send, caller_for, wallet):
        send()

        path = f"/accounts/{wallet.account.public_id}/balance"
        answer = caller_for().get(path).json()

        assert answer["free_videos"] == {
            "used": 1,
            "quota": 2,
            "longest_ms": 60_000,
            "starts_again_at": "2026-04-01T00:00:00Z",
        }
