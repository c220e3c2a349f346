"""Closing months: late items land in the open one, and a sealed one stays (R93)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connections

from accounts.models import AuditEvent
from billing import tasks
from billing.core.periods import Span
from billing.finance import closing, months
from billing.finance.months import Month
from billing.finance.reports import liability
from billing.models import ClosedMonth
from credits import audits, ledger
from credits.models import GrantSource
from tests.conftest import NOW
from tests.factories import job, make_staff, make_wallet

pytestmark = pytest.mark.django_db
MARCH = Month(date(2026, 3, 1))
APRIL, MAY = MARCH.next, MARCH.next.next
CLOSED_AT = MARCH.ends_at + timedelta(days=2)
SEALED_AT = CLOSED_AT + closing.SEALS_AFTER
SEAL = "R93 a sealed month stays as it was"


@pytest.fixture
def wallet():
    """One with 500 credits since NOW, a day of March."""
    return make_wallet(grants={"plan": (500, timedelta(days=60))})


def close(month: Month = MARCH, *, at=CLOSED_AT) -> ClosedMonth:
    return closing.close(month, by=make_staff(), reason="All is settled.", at=at)


def closing_credits(month: Month) -> int:
    [forward] = liability.roll_forward(Span(month.starts_at, month.ends_at))
    moved = sum(one.amount.credits for one in forward.moved)
    assert forward.opening.credits + moved == forward.closing.credits
    return forward.closing.credits


def broken_seals() -> list[str]:
    return [one.text for one in audits.verify() if one.check == SEAL]


class TestClosing:
    def test_happens_in_order_and_after_the_end(self, wallet):
        early = MARCH.ends_at + months.CLOSES_AFTER - timedelta(seconds=1)

        assert closing.refusal(MARCH, at=early)
        assert closing.refusal(MARCH.previous, at=early) == "Nobody had credits then."
        assert closing.refusal(APRIL, at=MAY.ends_at) == "March 2026 comes first."
        assert not closing.refusal(MARCH, at=early + timedelta(seconds=1))
        with pytest.raises(closing.NotClosable, match="comes first"):
            close(APRIL, at=MAY.ends_at)

    def test_happens_once(self, wallet):
        close()

        with pytest.raises(closing.NotClosable, match="closed already"):
            close()

        assert ClosedMonth.objects.count() == 1
        assert AuditEvent.objects.filter(action="month.closed").count() == 1

    def test_says_what_has_not_ended_yet(self, wallet):
        assert closing.doubts(MARCH).unsettled_grants == 0
        assert closing.doubts(MAY).unsettled_grants == 1


class TestWhatComesLate:
    def test_lands_in_the_open_month(self, wallet):
        """An expiry of March that is found in April, before and after the closing."""
        other = make_wallet(grants={"plan": (300, timedelta(days=5))})
        before = closing_credits(MARCH)
        ledger.expire_due(limit=10, at=MARCH.ends_at + timedelta(hours=2))
        in_time = closing_credits(MARCH)
        late = make_wallet(grants={"plan": (70, timedelta(days=5))})
        close()
        with_late = closing_credits(MARCH)

        ledger.expire_due(limit=10, at=CLOSED_AT + timedelta(minutes=1))

        assert (before, in_time, with_late) == (800, 500, 570)
        assert closing_credits(MARCH) == 570
        assert closing_credits(APRIL) == 500
        assert {other.pk, late.pk}

    def test_is_a_job_that_ran_in_the_closed_month(self, wallet):
        close()

        ledger.spend(job(wallet, 40), at=CLOSED_AT + timedelta(minutes=1))

        assert (closing_credits(MARCH), closing_credits(APRIL)) == (500, 460)

    def test_is_an_adjustment_of_the_closed_month(self, wallet):
        close()

        ledger.grant(
            wallet_id=wallet.pk,
            source=GrantSource.ADJUSTMENT,
            source_key="adjustment:late",
            credits=25,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=CLOSED_AT + timedelta(minutes=1),
        )

        assert (closing_credits(MARCH), closing_credits(APRIL)) == (500, 525)


class TestSealing:
    def test_waits_until_nothing_is_in_flight(self, wallet):
        close()

        too_early = closing.due_months(at=SEALED_AT - timedelta(seconds=1))
        [due] = closing.due_months(at=SEALED_AT)

        assert too_early == []
        assert due.sealed_at is None

    def test_is_done_once_by_the_sweeper(self, wallet):
        close()

        tasks.seal_months()
        first = ClosedMonth.objects.get()
        tasks.seal_months()

        assert first.figures["liability"]["CREDITS"]["closing"] == [500, 0]
        assert first.sha256 == closing.checksum(first.figures)
        assert ClosedMonth.objects.get().sealed_at == first.sealed_at
        assert broken_seals() == []

    def test_holds_whatever_comes_later(self, wallet):
        closing.seal(close(), at=SEALED_AT)

        ledger.spend(job(wallet, 40), at=SEALED_AT)
        ledger.expire_due(limit=10, at=MAY.ends_at)

        assert broken_seals() == []

    @pytest.mark.django_db(transaction=True, databases=["default", "owner"])
    def test_breaks_if_history_is_changed(self, wallet):
        closing.seal(close(), at=SEALED_AT)
        with connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE credits_ledgerentry DISABLE TRIGGER USER")
            cursor.execute(
                "UPDATE credits_ledgerentry SET occurred_at = %s, created_at = %s",
                [MAY.starts_at] * 2,
            )
            cursor.execute("ALTER TABLE credits_ledgerentry ENABLE TRIGGER USER")

        [broken] = broken_seals()

        assert "the reports say" in broken
