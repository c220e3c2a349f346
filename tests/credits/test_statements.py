"""Balance and statement as people read them (R2, R5, R10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credits import ledger, statements
from credits.ledger import Spend, UsedLine
from credits.models import EntryKind, GrantSource
from tests.conftest import NOW
from tests.factories import job, make_wallet

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def add(wallet, credits, *, source, expires_at=None, effective_at=NOW) -> None:
    ledger.grant(
        wallet_id=wallet.pk,
        source=source,
        source_key=f"{wallet.pk}:{source}:{effective_at}",
        credits=credits,
        cost_basis_cents=0,
        effective_at=effective_at,
        expires_at=expires_at,
        actor="test",
        at=NOW,
    )


def start_cycle(wallet, at) -> None:
    ledger.set_terms(
        wallet_id=wallet.pk,
        spending_block=None,
        way_forward="",
        cycle_starts_at=at,
        cycle_ends_at=at + 30 * DAY,
    )


class TestBalance:
    def test_adds_up(self):
        wallet = make_wallet(grants={"a": (100, DAY), "b": (50, None)})
        ledger.spend(job(wallet, credits=30), at=NOW)

        balance = statements.balance_of(wallet.pk, at=NOW)

        assert (balance.posted, balance.available) == (120, 120)
        assert (balance.held, balance.frozen, balance.debt) == (0, 0, 0)
        assert sum(grant.remaining for grant in balance.grants) == 120

    def test_lists_grants_in_the_order_in_which_they_are_used(self):
        wallet = make_wallet()
        end = NOW + 9 * DAY
        add(wallet, 1, source=GrantSource.PURCHASE)
        add(
            wallet,
            2,
            source=GrantSource.PURCHASE,
            expires_at=end,
            effective_at=NOW - DAY,
        )
        add(wallet, 3, source=GrantSource.PLAN, expires_at=end)
        add(wallet, 4, source=GrantSource.PROMO, expires_at=end)
        add(wallet, 5, source=GrantSource.RELOAD, expires_at=NOW + DAY)

        balance = statements.balance_of(wallet.pk, at=NOW)

        assert [grant.granted for grant in balance.grants] == [5, 4, 3, 2, 1]
        drawn = [spend_one(wallet) for _ in range(15)]
        assert drawn == [5] * 5 + [4] * 4 + [3] * 3 + [2] * 2 + [1]

    def test_tells_rolled_over_credits_from_those_of_the_cycle(self):
        wallet = make_wallet()
        add(wallet, 10, source=GrantSource.PLAN, effective_at=NOW - 30 * DAY)
        add(wallet, 20, source=GrantSource.PLAN)
        add(wallet, 30, source=GrantSource.PURCHASE, effective_at=NOW - 30 * DAY)
        start_cycle(wallet, NOW)

        balance = statements.balance_of(wallet.pk, at=NOW)

        assert {grant.label: grant.granted for grant in balance.grants} == {
            "Rolled-over credits": 10,
            "Monthly credits": 20,
            "Purchased credits": 30,
        }

    def test_names_the_next_expiry_and_all_that_ends_then(self):
        wallet = make_wallet(
            grants={"a": (5, DAY), "b": (7, DAY), "c": (9, 2 * DAY), "d": (1, None)}
        )

        balance = statements.balance_of(wallet.pk, at=NOW)

        assert balance.next_expiry_at == NOW + DAY
        assert balance.next_expiry_credits == 12

    def test_forgets_the_expiry_of_credits_that_are_used_up(self):
        wallet = make_wallet(grants={"a": (5, DAY), "b": (7, 2 * DAY)})
        ledger.spend(job(wallet, credits=5), at=NOW)

        balance = statements.balance_of(wallet.pk, at=NOW)

        assert balance.next_expiry_at == NOW + 2 * DAY
        assert balance.next_expiry_credits == 7

    def test_never_counts_what_has_expired(self):
        wallet = make_wallet(grants={"a": (5, DAY), "b": (7, None)})

        before = statements.balance_of(
            wallet.pk, at=NOW + DAY - timedelta(microseconds=1)
        )
        at_the_end = statements.balance_of(wallet.pk, at=NOW + DAY)

        assert (before.posted, at_the_end.posted) == (12, 7)

    def test_reads_in_two_queries(self, django_assert_num_queries):
        wallet = make_wallet(grants={"a": (5, DAY), "b": (7, None)})

        with django_assert_num_queries(2):
            statements.balance_of(wallet.pk, at=NOW)


@pytest.mark.usefixtures("rates")
class TestStatement:
    def test_says_what_came_in_was_used_and_ended(self):
        wallet = make_wallet(grants={"a": (30, DAY)})
        add(wallet, 100, source=GrantSource.PURCHASE)
        spend(wallet, UsedLine("avatar-iv", 72_000, 1, 24), member="ann@example.com")

        page = statements.statement_for(wallet.pk, at=NOW + DAY)

        assert [
            (row.description, row.who, row.credits, row.balance_after)
            for row in page.rows
        ] == [
            ("Expired: monthly credits", "", -6, 100),
            ("Avatar IV, 1 min 12 s", "ann@example.com", -24, 106),
            ("Purchased credits", "", 100, 130),
            ("Monthly credits", "", 30, 30),
        ]

    def test_shows_each_grant_that_an_entry_drew_from(self):
        wallet = make_wallet(grants={"a": (30, DAY), "b": (50, None)})
        spend(wallet, UsedLine("look", 40, 1, 40))

        [row, *_] = statements.statement_for(wallet.pk, at=NOW).rows

        assert [
            (draw.credits, draw.remaining_after, draw.granted, draw.expires_at)
            for draw in row.draws
        ] == [(-30, 0, 30, NOW + DAY), (-10, 40, 50, None)]

    def test_describes_each_line_of_a_job(self):
        wallet = make_wallet(grants={"a": (500, None)})
        spend(wallet, UsedLine("image", 1, 1, 2), UsedLine("look", 1_200, 1, 1))

        [row, *_] = statements.statement_for(wallet.pk, at=NOW).rows

        assert row.description == "Image, 1 image; Look, 1,200 looks"
        assert [line.credits for line in row.lines] == [2, 1]

    def test_names_a_feature_by_its_code_when_its_card_is_gone(self):
        wallet = make_wallet(grants={"a": (500, None)})
        spend(wallet, UsedLine("hologram", 2, 99, 1))

        [row, *_] = statements.statement_for(wallet.pk, at=NOW).rows

        assert row.description == "hologram, 2 pieces"

    def test_names_the_key_when_no_member_is_known(self):
        wallet = make_wallet(grants={"a": (5, None)})
        spend(wallet, UsedLine("look", 1, 1, 1), actor="Renderer (key_1)")

        [row, *_] = statements.statement_for(wallet.pk, at=NOW).rows

        assert row.who == "Renderer"

    def test_pages_by_number(self):
        wallet = make_wallet(grants={"a": (10, None)})
        entries = [spend(wallet, UsedLine("look", 1, 1, 1)).seq for _ in range(4)]

        first = statements.statement_for(wallet.pk, limit=3, at=NOW)
        second = statements.statement_for(
            wallet.pk, limit=3, before_seq=first.next_before_seq, at=NOW
        )

        assert entries == [2, 3, 4, 5]
        assert [row.seq for row in first.rows] == [5, 4, 3]
        assert [row.seq for row in second.rows] == [2, 1]
        assert second.next_before_seq is None

    def test_ends_when_a_page_is_just_full(self):
        wallet = make_wallet(grants={"a": (10, None)})

        page = statements.statement_for(wallet.pk, limit=1, at=NOW)

        assert (len(page.rows), page.next_before_seq) == (1, None)

    def test_shows_one_kind(self):
        wallet = make_wallet(grants={"a": (10, None)})
        spend(wallet, UsedLine("look", 1, 1, 1))

        page = statements.statement_for(wallet.pk, kinds=[EntryKind.SPEND], at=NOW)

        assert [row.kind for row in page.rows] == ["SPEND"]

    def test_is_empty_for_a_new_wallet(self):
        page = statements.statement_for(make_wallet().pk, at=NOW)

        assert page == statements.StatementPage(rows=(), next_before_seq=None)

    def test_reads_in_five_queries_however_many_rows(self, django_assert_num_queries):
        wallet = make_wallet(grants={"a": (10, DAY), "b": (90, None)})
        for _ in range(30):
            spend(wallet, UsedLine("look", 3, 1, 3))

        # The wallet, entries, draws, lines and, once, their labels.
        with django_assert_num_queries(5):
            statements.statement_for(wallet.pk, at=NOW)


def spend(wallet, *lines, actor="test", member="") -> ledger.Spent:
    spend.count += 1
    command = Spend(
        wallet_id=wallet.pk,
        lines=lines,
        idempotency_key=f"statement:{spend.count}",
        actor=actor,
        member=member,
    )
    return ledger.spend(command, at=NOW)


spend.count = 0


def spend_one(wallet) -> int:
    """Spend one credit and return how large the grant is that gave it."""
    spend(wallet, UsedLine("look", 1, 1, 1))
    [row] = statements.statement_for(wallet.pk, limit=1, at=NOW).rows
    return row.draws[0].granted
