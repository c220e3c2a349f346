"""One list of all that happened to an account, in pages, without gaps or doubles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import auditing
from accounts.models import Notice
from billing.console.finding import find
from billing.console.rows import Family, Position, position
from billing.console.timeline import timeline
from billing.models import ReloadSkip
from credits import ledger
from tests.billing.bank import Bank
from tests.billing.plans import Plans
from tests.billing.queued import held, wallet_of
from tests.billing.refunds import LATER, bought, refund, use
from tests.conftest import NOW
from tests.credits.conftest import _forget_rates, rates
from tests.factories import job, make_account

__all__ = ["_forget_rates", "rates"]

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lived(wire, business, alice):
    """An account to which everything has happened."""
    plans = Plans(wire)
    kept, returned = bought(wire, business, alice), bought(wire, business, alice)
    plans.hear()
    refund(returned)
    Bank(plans).dispute(kept)
    use(business, 7)
    ReloadSkip.objects.create(
        account=business,
        reason="FROZEN",
        situation="a dispute",
        available=9,
        threshold=10,
        month_cents=0,
        month_count=0,
        skipped_at=NOW + MINUTE,
    )
    act(business, at=NOW + MINUTE)
    return business


def act(account, *, at=NOW) -> None:
    auditing.record(
        action="plan.ended",
        actor="ada@purser.example",
        account=account,
        target="Business",
        before={"state": "ACTIVE", "seats": 2},
        after={"state": "CANCELED"},
        reason="By phone",
        at=at,
    )


def pages(account, *, limit: int, **chosen) -> list:
    """All rows, page by page."""
    rows, before = [], None
    while True:
        page = timeline(account, at=LATER, before=before, limit=limit, **chosen)
        rows += page.rows
        assert len(page.rows) <= limit
        if page.older is None:
            return rows
        before = position(str(page.older))


class TestRows:
    def test_are_of_every_family(self, lived):
        found = timeline(lived, at=LATER, limit=200).rows

        assert {row.family for row in found} == set(Family)

    def test_are_the_newest_first(self, lived):
        act(lived, at=LATER + MINUTE)

        rows = timeline(lived, at=LATER + MINUTE, limit=200).rows

        assert rows[0].what == "plan.ended"
        assert rows == tuple(sorted(rows, key=lambda row: row.place, reverse=True))

    def test_of_payments_tell_what_and_how_much_and_lead_there(self, lived):
        rows = timeline(lived, at=LATER, family=Family.PAYMENTS, limit=200).rows

        told = {(row.what, row.cents) for row in rows}
        assert {
            ("Purchase: Paid", 500),
            ("Refund: Refunded", -500),
            ("Dispute: Answer needed", -500),
            ("Auto-reload made no charge", None),
        } <= told
        assert all(row.url for row in rows if row.cents)

    def test_of_skipped_reloads_say_why(self, lived):
        [skip] = [
            row
            for row in timeline(lived, at=LATER, family=Family.PAYMENTS).rows
            if row.what == "Auto-reload made no charge"
        ]

        assert skip.reason == "A payment is in dispute or in doubt."

    def test_of_actions_tell_who_and_what_was_before_and_after(self, lived):
        [row] = [
            row
            for row in timeline(lived, at=LATER, family=Family.ACTIONS).rows
            if row.what == "plan.ended"
        ]

        assert (row.who, row.reason) == ("ada@purser.example", "By phone")
        changes = [(one.name, one.before, one.after) for one in row.changes]
        assert changes == [("seats", "2", ""), ("state", "ACTIVE", "CANCELED")]

    def test_of_actions_lead_to_what_was_acted_on(self, lived):
        [paid, *_] = [
            row
            for row in timeline(lived, at=LATER, family=Family.ACTIONS).rows
            if row.what == "purchase.paid"
        ]

        assert find(paid.url.partition("?q=")[2]).url.startswith("/staff/refunds/")

    def test_of_webhooks_are_those_of_the_accounts_objects(self, lived):
        mine = timeline(lived, at=LATER, family=Family.WEBHOOKS).rows
        others = timeline(make_account(), at=LATER, family=Family.WEBHOOKS).rows

        kinds = {row.what for row in mine}
        assert {"checkout.session.completed", "charge.dispute.created"} <= kinds
        assert others == ()

    def test_of_the_ledger_are_its_statement(self, lived):
        [row] = [
            row
            for row in timeline(lived, at=LATER, family=Family.LEDGER).rows
            if row.credits == -7
        ]

        assert row.detail.startswith("#")

    def test_of_one_account_are_only_its_own(self, lived):
        other = make_account("Other")
        act(other)

        rows = timeline(other, at=LATER, limit=200).rows

        assert [row.what for row in rows if row.family == Family.ACTIONS] == [
            "plan.ended"
        ]
        assert not [row for row in rows if row.family == Family.PAYMENTS]


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    def test_have_every_row_once_in_the_same_order(self, lived, limit):
        whole = timeline(lived, at=LATER, limit=500)

        assert whole.older is None
        assert pages(lived, limit=limit) == list(whole.rows)

    @pytest.mark.parametrize("family", Family)
    def test_of_one_family_have_every_row_once(self, lived, family):
        whole = timeline(lived, at=LATER, family=family, limit=500)

        assert pages(lived, limit=2, family=family) == list(whole.rows)

    def test_have_rows_of_one_instant_once(self, business):
        for _ in range(9):
            act(business, at=LATER)
            Notice.objects.create(
                key=f"n{_}", account=business, created_at=LATER, next_attempt_at=LATER
            )
            use(business, 1)

        rows = pages(business, limit=4)

        assert len({row.place for row in rows}) == len(rows)
        assert rows == list(timeline(business, at=LATER, limit=500).rows)

    def test_lose_no_movement_whose_clock_was_behind(self, business):
        wallet = wallet_of(business)
        for minutes in (5, 2, 9, 1):
            ledger.spend(job(wallet, 1), at=NOW + minutes * MINUTE)

        rows = pages(business, limit=1, family=Family.LEDGER)

        numbers = [int(row.detail.split()[0].lstrip("#")) for row in rows]
        assert numbers == sorted(numbers, reverse=True)
        assert len(numbers) == wallet_of(business).seq

    @pytest.mark.usefixtures("rates")
    def test_ask_as_often_for_many_rows_as_for_few(self, lived):
        for number in range(30):
            act(lived, at=NOW + number * MINUTE)
            use(lived, 1)

        queries(lived, limit=60)  # rates are read once for all
        assert queries(lived, limit=60) == queries(lived, limit=5)


def queries(account, *, limit: int) -> int:
    with CaptureQueriesContext(connection) as asked:
        timeline(account, at=LATER, limit=limit)
    return len(asked)


class TestJob:
    def test_is_found_by_its_hold(self, business):
        hold = held(business, 10, key="a")
        held(business, 10, key="b")

        [row] = timeline(business, at=LATER, job=hold.public_id).rows

        assert "a" in row.detail

    def test_is_found_by_its_reference(self, business):
        held(business, 10, key="a")
        held(business, 10, key="b")

        [row] = timeline(business, at=LATER, job="b").rows

        assert row.detail.endswith("b")

    def test_of_another_account_is_not(self, business):
        hold = held(business, 10)

        assert timeline(make_account(), at=LATER, job=hold.public_id).rows == ()


class TestPosition:
    def test_is_read_as_it_is_written(self):
        written = Position(NOW, 3, 12, (45, 0))

        assert position(str(written)) == written

    @pytest.mark.parametrize(
        "text", ["", "~", "2026~1~2", "2026-03-10T12:00:00~1~2", "x~1~2", "1~2~3~4"]
    )
    def test_that_cannot_be_is_none(self, text):
        assert position(text) is None
