"""Adjusting: what it does to credits, and reversing it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Notice, Role
from billing import adjusting
from billing.adjusting import AdjustmentRefused, Draft, Why
from billing.models import Adjustment, AdjustmentKind, AdjustmentState, ReasonCode
from credits import audits, ledger, statements
from credits.models import CreditGrant, Freeze, GrantSource, LedgerEntry
from tests.billing.adjustments import DAY, YEAR, add, adjust, fresh, propose, remove
from tests.conftest import NOW
from tests.factories import job, make_account, make_member, make_wallet, remaining

pytestmark = pytest.mark.django_db


def grant_of(wallet, name="soon") -> CreditGrant:
    return CreditGrant.objects.get(wallet=wallet, source_key__endswith=f":{name}")


class TestAdd:
    def test_makes_a_grant_of_its_own_that_cost_nothing(self, wallet, ada):
        made = adjust(add(wallet.account, 200), ada)

        grant = CreditGrant.objects.get(source_key=f"adjustment:{made.pk}")
        assert (grant.source, grant.granted) == (GrantSource.ADJUSTMENT, 200)
        assert (grant.cost_basis_cents, grant.expires_at) == (0, NOW + YEAR)
        assert made.entry.credits == 200

    def test_of_a_promotion_is_promotional(self, wallet, ada):
        why = Why(ReasonCode.PROMOTION, "Everybody in the beta gets some")

        made = adjust(add(wallet.account, 200), ada, why=why)

        grant = CreditGrant.objects.get(source_key=made.key)
        assert grant.source == GrantSource.PROMO

    def test_that_has_expired_already_is_refused(self, wallet, ada):
        draft = Draft(wallet.account, AdjustmentKind.ADD, 5, expires_at=NOW)

        with pytest.raises(AdjustmentRefused, match="would have expired"):
            adjust(draft, ada)

    def test_tells_customers_the_note_and_not_the_comment(self, wallet, ada):
        adjust(add(wallet.account, 200, customer_note="Sorry for the outage"), ada)

        [row, *_] = statements.statement_for(wallet.pk, at=NOW).rows
        assert (row.credits, row.reason) == (200, "Sorry for the outage")

    def test_tells_by_email_if_that_is_asked(self, wallet, ada):
        make_member(wallet.account, Role.OWNER, "alice@example.com")
        why = Why(ReasonCode.GOODWILL, "A video came out broken", notifies=True)

        adjust(add(wallet.account, 200, customer_note="Sorry!"), ada, why=why)

        [notice] = Notice.objects.filter(kind="adjustment_made")
        assert notice.recipient == "alice@example.com"
        assert "200 credits were added." in notice.text
        assert "Sorry!" in notice.text

    def test_of_one_form_sent_twice_happens_once(self, wallet, ada):
        first = adjust(add(wallet.account, 200), ada, form_key="form")

        second = adjust(add(wallet.account, 200), ada, form_key="form")

        assert first == second
        assert fresh(wallet).balance == 280


class TestRemove:
    def test_takes_in_the_order_of_jobs_by_one_entry(self, wallet, ada):
        made = adjust(remove(wallet.account, 40), ada)

        assert remaining(wallet) == {"soon": 0, "later": 40}
        assert (made.entry.kind, made.entry.credits) == ("REVOKE", -40)

    def test_takes_from_one_grant_alone(self, wallet, ada):
        later = grant_of(wallet, "later")

        adjust(remove(wallet.account, 40, grant_id=later.pk), ada)

        assert remaining(wallet) == {"soon": 30, "later": 10}

    def test_never_takes_what_jobs_hold(self, wallet, ada):
        ledger.hold(
            wallet_id=wallet.pk,
            credits=60,
            rate_version=1,
            idempotency_key="hold",
            actor="test",
            at=NOW,
        )

        with pytest.raises(AdjustmentRefused, match="fewer than 21 credits"):
            adjust(remove(wallet.account, 21), ada)

        adjust(remove(wallet.account, 20), ada)
        assert (fresh(wallet).balance, fresh(wallet).held) == (60, 60)

    def test_never_takes_what_is_frozen(self, wallet, ada):
        soon = grant_of(wallet)
        ledger.freeze(
            grant_id=soon.pk,
            freeze=Freeze.DISPUTE,
            idempotency_key="freeze",
            actor="test",
            reason="",
            at=NOW,
        )

        with pytest.raises(AdjustmentRefused):
            adjust(remove(wallet.account, 1, grant_id=soon.pk), ada)

    def test_of_another_accounts_grant_is_refused(self, wallet, ada):
        other = make_wallet(make_account("Other"), grants={"theirs": (30, DAY)})

        with pytest.raises(AdjustmentRefused):
            adjust(
                remove(wallet.account, 1, grant_id=grant_of(other, "theirs").pk), ada
            )


class TestMoveExpiry:
    def test_is_a_pair_of_entries(self, wallet, ada):
        soon = grant_of(wallet)
        draft = Draft(
            wallet.account,
            AdjustmentKind.MOVE_EXPIRY,
            credits=30,
            grant_id=soon.pk,
            expires_at=NOW + 90 * DAY,
        )

        made = adjust(draft, ada)

        kinds = LedgerEntry.objects.filter(wallet=wallet).order_by("-seq")
        assert [(e.kind, e.credits) for e in kinds[:2]] == [
            ("GRANT", 30),
            ("MOVE", -30),
        ]
        moved = CreditGrant.objects.get(source_key=f"move:{made.entry_id}")
        assert moved.expires_at == NOW + 90 * DAY

    def test_to_an_earlier_date_is_refused(self, wallet, ada):
        draft = Draft(
            wallet.account,
            AdjustmentKind.MOVE_EXPIRY,
            credits=30,
            grant_id=grant_of(wallet).pk,
            expires_at=NOW + timedelta(hours=1),
        )

        with pytest.raises(AdjustmentRefused, match="does not expire before"):
            adjust(draft, ada)


class TestWriteOff:
    def test_always_needs_somebody_else(self, wallet, ada, grace):
        ledger.record_debt(
            wallet_id=wallet.pk,
            credits=12,
            idempotency_key="debt",
            actor="test",
            reason="",
            at=NOW,
        )
        draft = Draft(wallet.account, AdjustmentKind.WRITE_OFF_DEBT, credits=12)

        proposed = propose(draft, ada)

        assert proposed.approvals_needed == 1
        assert fresh(wallet).debt == 12
        adjusting.approve(proposed.pk, by=grace, at=NOW)
        assert fresh(wallet).debt == 0


class TestPreview:
    def test_leaves_nothing_behind(self, wallet):
        entries = LedgerEntry.objects.count()

        previewed = adjusting.preview(remove(wallet.account, 40), at=NOW)

        assert (previewed.before.available, previewed.after.available) == (80, 40)
        assert LedgerEntry.objects.count() == entries
        assert fresh(wallet).balance == 80

    def test_is_another_once_something_has_changed(self, wallet):
        before = adjusting.preview(add(wallet.account, 5), at=NOW)
        again = adjusting.preview(add(wallet.account, 5), at=NOW)
        ledger.spend(job(wallet, credits=1), at=NOW)

        after = adjusting.preview(add(wallet.account, 5), at=NOW)

        assert before.shown == again.shown != after.shown

    def test_shows_the_row_that_customers_see(self, wallet):
        draft = add(wallet.account, 5, customer_note="Sorry")

        previewed = adjusting.preview(draft, at=NOW)

        assert (previewed.row.description, previewed.row.reason) == (
            "Adjustment",
            "Sorry",
        )


class TestReverse:
    def test_of_added_credits_takes_what_is_left(self, wallet, ada):
        made = adjust(add(wallet.account, 100), ada)
        ledger.spend(job(wallet, credits=110), at=NOW)  # 80 others first

        draft = adjusting.reversal_of(made)
        back = adjust(draft, ada)

        assert (draft.credits, back.entry.credits) == (70, -70)
        assert (back.reverses, [*made.reversals.all()]) == (made, [back])
        assert fresh(wallet).balance == 0

    def test_of_removed_credits_puts_them_back_where_they_were(self, wallet, ada):
        made = adjust(remove(wallet.account, 40), ada)

        back = adjust(adjusting.reversal_of(made), ada)

        assert remaining(wallet) == {"soon": 30, "later": 50}
        assert back.entry.reverses == made.entry

    def test_puts_back_nothing_that_has_expired_meanwhile(self, wallet, ada):
        made = adjust(remove(wallet.account, 40), ada)

        adjust(adjusting.reversal_of(made), ada, at=NOW + 2 * DAY)

        assert remaining(wallet) == {"soon": 0, "later": 50}

    def test_happens_once(self, wallet, ada):
        made = adjust(remove(wallet.account, 40), ada)
        adjust(adjusting.reversal_of(made), ada)

        with pytest.raises(AdjustmentRefused):
            adjust(adjusting.reversal_of(made), ada)

    def test_that_was_rejected_can_be_proposed_again(self, wallet, ada, grace):
        made = adjust(remove(wallet.account, 40), ada)
        first = propose(adjusting.reversal_of(made), ada, needs_approval=True)
        adjusting.reject(first.pk, by=grace, reason="Why?", at=NOW)

        again = adjust(adjusting.reversal_of(made), ada)

        assert again.state == AdjustmentState.MADE

    def test_of_credits_that_are_used_is_refused(self, wallet, ada):
        made = adjust(add(wallet.account, 100), ada)
        ledger.spend(job(wallet, credits=180), at=NOW)

        with pytest.raises(AdjustmentRefused, match="Nothing is left"):
            adjusting.reversal_of(made)

    def test_of_moved_credits_is_refused(self, wallet, ada):
        draft = Draft(
            wallet.account,
            AdjustmentKind.MOVE_EXPIRY,
            credits=30,
            grant_id=grant_of(wallet).pk,
            expires_at=NOW + 90 * DAY,
        )
        made = adjust(draft, ada)

        with pytest.raises(AdjustmentRefused, match="cannot be reversed"):
            adjusting.reversal_of(made)


class TestLedgerAudit:
    def test_finds_nothing_after_each_kind(self, wallet, ada):
        made = adjust(add(wallet.account, 100), ada)
        adjust(remove(wallet.account, 40), ada)
        adjust(adjusting.reversal_of(made), ada)

        found = [f for f in audits.verify() if "adjustment" in f.check]

        assert found == []
        assert Adjustment.objects.count() == 3

    def test_finds_a_grant_that_nobody_adjusted(self, wallet):
        ledger.grant(
            wallet_id=wallet.pk,
            source=GrantSource.ADJUSTMENT,
            source_key="adjustment:4000000",
            credits=5,
            cost_basis_cents=0,
            effective_at=NOW,
            expires_at=None,
            actor="test",
            at=NOW,
        )

        found = [f.check for f in audits.verify() if "adjustment" in f.check]

        assert found == ["I5 each adjusted credit has its adjustment"]
