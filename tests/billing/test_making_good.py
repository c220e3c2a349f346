"""Incidents made good: found, agreed to, given back once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from accounts.models import Notice, StaffLimit
from billing import batches, making_good
from billing.adjusting import AdjustmentRefused
from billing.core.periods import Span
from billing.finance.reports import liability
from billing.finance.reports.amounts import Amount
from billing.finance.reports.movements import Movement
from billing.making_good import giving_back
from billing.models import BatchState, MakeGoodDebit
from credits import audits, ledger
from credits.models import CreditGrant, GrantSource, LedgerEntry, Wallet
from tests.billing.batches import (
    HOUR,
    WHY,
    approved,
    incident,
    made_good,
    spend,
    staff,
)
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def wallet():
    return make_wallet(grants={"plan": (1_000, 30 * DAY)})


@pytest.fixture
def maker():
    return staff()


def paid_wallet(*grants):
    """A wallet of purchases: credits, cents and lifetime."""
    wallet = make_wallet(make_account(billing_email="pay@example.com"))
    for number, (credits, cents, lifetime) in enumerate(grants):
        ledger.grant(
            wallet_id=wallet.pk,
            source=GrantSource.PURCHASE,
            source_key=f"{wallet.pk}:{number}",
            credits=credits,
            cost_basis_cents=cents,
            effective_at=NOW - HOUR,
            expires_at=NOW + lifetime,
            actor="test",
            at=NOW,
        )
    return wallet


def given_back(make_good, *, at=NOW):
    making_good.give_back(limit=1_000, at=at)
    make_good.refresh_from_db()
    return make_good


def available(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).available


class TestFind:
    def test_finds_what_jobs_used_of_the_features_in_the_span(self, wallet):
        spend(wallet, ("look", 5), ("image", 7), key="both")
        spend(wallet, ("image", 9), key="other")
        spend(wallet, ("look", 3), key="later", at=NOW + HOUR)

        found = making_good.find(incident("look"))

        assert [debit.credits for debit in found.debits] == [5]
        assert (found.accounts, found.credits) == (1, 5)

    def test_tells_the_features_of_a_job_apart(self, wallet):
        spend(wallet, ("look", 5), ("image", 7), ("agent", 1), key="a")

        found = making_good.find(incident("look", "image"))

        assert [(one.feature, one.credits) for one in found.debits] == [
            ("image", 7),
            ("look", 5),
        ]
        assert (found.jobs, found.top[0].jobs) == (1, 1)

    def test_finds_no_more_than_is_left_of_a_job(self, wallet, maker):
        entry_id = spend(wallet, ("look", 5), ("image", 7), ("agent", 8), key="a")
        made_good(incident("agent"), by=maker)  # and not given back yet
        reverse(entry_id, credits=4, key="meanwhile")

        found = making_good.find(incident("look", "image"))

        assert [(one.feature, one.credits) for one in found.debits] == [
            ("image", 7),
            ("look", 1),
        ]

    def test_leaves_out_what_was_given_back(self, wallet):
        all_of_it = spend(wallet, ("look", 5), key="all")
        some = spend(wallet, ("look", 5), key="some")
        reverse(all_of_it, key="a")
        reverse(some, credits=2, key="b")

        assert making_good.find(incident("look")).credits == 3

    def test_can_be_told_by_the_beginning_of_the_reference(self, wallet):
        spend(wallet, ("look", 5), key="a", reference="render-eu-1")
        spend(wallet, ("look", 7), key="b", reference="render-us-1")

        assert making_good.find(incident("look", prefix="render-eu")).credits == 5

    def test_tells_the_money_that_comes_back_to_each_grant(self):
        wallet = paid_wallet((3, 100, DAY), (100, 500, 2 * DAY))
        spend(wallet, ("look", 2), key="a")
        spend(wallet, ("look", 2), key="b")
        spend(wallet, ("image", 1), ("look", 1), key="c")

        found = making_good.find(incident("look"))

        # Of 3 credits for 100 cents a gives 2 back and b 1; 33, and 5 of the others.
        assert [debit.cents for debit in found.debits] == [67, 33 + 5, 5]
        assert found.cents == cents_of_reversing(found)

    def test_tells_the_money_of_each_feature_of_a_job(self):
        wallet = paid_wallet((3, 100, DAY), (100, 500, 2 * DAY))
        spend(wallet, ("look", 2), ("image", 3), key="a")

        found = making_good.find(incident("look", "image"))

        # The image gets the last drawn back: two of 5 cents, and one of 33.
        assert [debit.cents for debit in found.debits] == [2 * 5 + 34, 66]
        assert found.cents == cents_of_reversing(found)

    def test_names_the_accounts_that_get_the_most(self, wallet):
        other = make_wallet(make_account("Other"), {"plan": (100, None)})
        spend(wallet, ("look", 5), key="a")
        spend(other, ("look", 9), key="b")

        shares = making_good.find(incident("look")).top

        assert [(one.account.name, one.credits) for one in shares] == [
            ("Other", 9),
            ("Northwind Studio", 5),
        ]

    def test_of_too_long_a_span_is_refused(self):
        with pytest.raises(AdjustmentRefused, match="at most 31 days"):
            making_good.find(incident("look", ends_at=NOW + 40 * DAY))


class TestGiveBack:
    def test_gives_only_what_the_features_cost(self, wallet, maker):
        spend(wallet, ("look", 5), ("image", 7), key="both")

        done = given_back(made_good(incident("look"), by=maker))

        assert (done.state, done.given_credits) == (BatchState.DONE, 5)
        assert available(wallet) == 993
        assert LedgerEntry.objects.get(kind="REVERSE").reason == done.customer_note

    def test_gives_to_the_grant_that_paid_with_fresh_time(self, maker):
        wallet = paid_wallet((10, 100, HOUR))
        spend(wallet, ("look", 10), key="a")
        later = NOW + 2 * DAY

        given_back(made_good(incident("look"), by=maker, at=later), at=later)

        grant = CreditGrant.objects.get(wallet=wallet)
        assert (grant.remaining, grant.expires_at) == (10, later + 72 * HOUR)

    def test_tells_each_account_once(self, wallet, maker):
        wallet.account.billing_email = "money@example.com"
        wallet.account.save()
        for key in "abc":
            spend(wallet, ("look", 5), key=key)

        given_back(made_good(incident("look"), by=maker))

        [notice] = Notice.objects.filter(kind="made_good")
        assert "15 credits given back to Northwind Studio" in notice.subject
        assert "Videos failed on Monday." in notice.text

    def test_above_the_limit_waits_for_somebody_else(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        make_good = made_good(incident("look"), by=maker)

        assert given_back(make_good).state == BatchState.PROPOSED
        assert given_back(approved(make_good)).state == BatchState.DONE
        assert available(wallet) == 1_000

    def test_counts_what_was_made_good_before_against_the_day(self, wallet, maker):
        StaffLimit.objects.create(user=maker, per_adjustment=500, per_day=700)
        spend(wallet, ("look", 400), key="a")
        spend(wallet, ("image", 400), key="b")
        made_good(incident("look"), by=maker)

        second = made_good(incident("image"), by=maker, form_key="second")

        assert second.approvals_needed == 1

    def test_never_gives_a_feature_of_a_job_back_twice(self, wallet, maker):
        spend(wallet, ("look", 5), ("image", 7), key="both")
        given_back(made_good(incident("look"), by=maker))

        with pytest.raises(AdjustmentRefused, match="nothing to give back"):
            made_good(incident("look"), by=maker, form_key="second")

    def test_gives_another_feature_of_the_same_job_back(self, wallet, maker):
        spend(wallet, ("look", 5), ("image", 7), key="both")
        given_back(made_good(incident("look"), by=maker))
        both = incident("look", "image")

        second = given_back(made_good(both, by=maker, form_key="second"))

        assert (second.given_credits, available(wallet)) == (7, 1_000)
        assert audits.verify() == []

    def test_of_the_same_form_is_one(self, wallet, maker):
        spend(wallet, ("look", 5), key="a")
        first = made_good(incident("look"), by=maker)
        given_back(first)

        again = making_good.propose(
            incident("look"),
            shown="",
            comment=WHY,
            ticket="",
            customer_note="Again",
            by=maker,
            form_key="form",
            at=NOW,
        )

        assert again == first

    def test_of_what_was_shown_otherwise_is_refused(self, wallet, maker):
        spend(wallet, ("look", 5), key="a")

        with pytest.raises(making_good.FoundOtherwise):
            making_good.propose(
                incident("look"),
                shown="of yesterday",
                comment=WHY,
                ticket="",
                customer_note="Sorry.",
                by=maker,
                form_key="form",
                at=NOW,
            )

    def test_gives_no_more_than_is_left_when_its_turn_comes(self, wallet, maker):
        entry_id = spend(wallet, ("look", 600), key="a")
        make_good = made_good(incident("look"), by=maker)
        reverse(entry_id, credits=400, key="meanwhile")

        done = given_back(approved(make_good))

        assert (done.given_credits, available(wallet)) == (200, 1_000)

    def test_goes_on_where_a_crash_left_it(self, wallet, maker, monkeypatch):
        others = [
            make_wallet(make_account(f"No. {n}"), {f"p{n}": (50, None)})
            for n in range(3)
        ]
        for number, one in enumerate([wallet, *others]):
            spend(one, ("look", 5), key=f"job{number}")
        make_good = made_good(incident("look"), by=maker)
        making_good.give_back(limit=2, at=NOW)
        with monkeypatch.context() as broken:
            broken.setattr(giving_back, "_tell", crash)
            with pytest.raises(RuntimeError):
                making_good.give_back(limit=1, at=NOW)

        make_good.refresh_from_db()
        assert make_good.done == 2
        assert given_back(make_good).done == 4
        assert LedgerEntry.objects.filter(kind="REVERSE").count() == 4

    def test_pays_what_is_owed_first(self, maker):
        wallet = paid_wallet((10, 100, DAY))
        spend(wallet, ("look", 10), key="a")
        ledger.record_debt(
            wallet_id=wallet.pk,
            credits=4,
            idempotency_key="debt",
            actor="test",
            reason="Refunded",
            at=NOW,
        )

        given_back(made_good(incident("look"), by=maker))

        found = Wallet.objects.get(pk=wallet.pk)
        assert (found.debt, found.available) == (0, 6)


class TestUndo:
    def undone(self, make_good, by, *, at=NOW):
        return making_good.propose_undo(
            make_good.pk, comment=WHY, ticket="", by=by, at=at
        )

    @pytest.fixture
    def done(self, wallet, maker):
        spend(wallet, ("look", 5), ("image", 7), key="a")
        spend(wallet, ("look", 20), key="b")
        return given_back(made_good(incident("look", "image"), by=maker))

    def test_takes_all_of_it_back(self, done, wallet, maker):
        undo = given_back(self.undone(done, maker))

        assert (undo.state, undo.undoes) == (BatchState.DONE, done)
        assert (undo.given_credits, undo.cents) == (32, done.cents)
        assert available(wallet) == 968
        assert audits.verify() == []

    def test_takes_no_more_than_is_still_there(self, maker):
        wallet = make_wallet(make_account("Small"), {"plan": (40, 30 * DAY)})
        spend(wallet, ("look", 30), key="a")
        done = given_back(made_good(incident("look"), by=maker))
        spend(wallet, ("image", 25), key="meanwhile")

        undo = given_back(self.undone(done, maker))

        assert (undo.credits, undo.given_credits) == (30, 15)
        assert (undo.state, available(wallet)) == (BatchState.DONE, 0)

    def test_takes_from_the_grants_that_it_went_to(self, maker):
        wallet = paid_wallet((10, 100, DAY), (10, 300, 2 * DAY))
        spend(wallet, ("look", 15), key="a")
        done = given_back(made_good(incident("look"), by=maker))

        given_back(self.undone(done, maker))

        grants = CreditGrant.objects.filter(wallet=wallet).order_by("pk")
        assert [grant.remaining for grant in grants] == [0, 5]

    def test_counts_in_reports_as_if_nothing_had_come_back(self, maker):
        wallet = paid_wallet((10, 100, DAY))
        spend(wallet, ("look", 10), key="a")

        given_back(
            self.undone(given_back(made_good(incident("look"), by=maker)), maker)
        )

        [forward] = liability.roll_forward(Span(NOW - DAY, NOW + DAY))
        moved = {one.movement: one.amount for one in forward.moved}
        assert moved[Movement.RESTORED] == Amount()
        assert moved[Movement.USED] == Amount(-10, -100)

    def test_tells_each_account_once(self, wallet, maker):
        wallet.account.billing_email = "money@example.com"
        wallet.account.save()
        for key in "ab":
            spend(wallet, ("look", 5), ("image", 7), key=key)
        done = given_back(made_good(incident("look", "image"), by=maker))

        given_back(self.undone(done, maker))

        [given, taken] = Notice.objects.order_by("pk")
        assert (given.kind, taken.kind) == ("made_good", "make_good_undone")
        assert taken.subject == "24 credits taken back from Northwind Studio"
        assert "You owe nothing for it." in taken.text

    def test_tells_nobody_of_nothing(self, maker):
        wallet = make_wallet(
            make_account(billing_email="m@example.com"), {"p": (5, None)}
        )
        other = make_wallet(make_account("Other"), {"q": (5, None)})
        for one in (wallet, other):
            spend(one, ("look", 5), key=f"of {one.pk}")
        done = given_back(made_good(incident("look"), by=maker))
        spend(wallet, ("image", 5), key="meanwhile")

        undo = given_back(self.undone(done, maker))

        assert undo.given_credits == 5
        assert not Notice.objects.filter(kind="make_good_undone").exists()

    def test_happens_once(self, done, maker):
        given_back(self.undone(done, maker))

        with pytest.raises(AdjustmentRefused, match="not being undone"):
            self.undone(done, maker)

    def test_that_was_dropped_can_be_asked_for_again(self, done, maker):
        done_twice = self.undone(done, maker)
        assert done_twice.state == BatchState.APPROVED
        large = make_wallet(make_account("Large"), {"plan": (900, 30 * DAY)})
        spend(large, ("look", 700), key="large")
        given = given_back(
            approved(made_good(incident("look"), by=maker, form_key="large"))
        )
        first = self.undone(given, maker)
        making_good.withdraw(first, by=maker, at=NOW)

        second = self.undone(given, maker)

        assert (first.debits.count(), second.debits.count()) == (0, 1)

    def test_above_the_limit_waits_for_somebody_else(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        done = given_back(approved(made_good(incident("look"), by=maker)))

        undo = given_back(self.undone(done, maker))

        assert (undo.state, available(wallet)) == (BatchState.PROPOSED, 1_000)
        assert given_back(approved(undo)).given_credits == 600

    def test_of_what_was_all_used_is_refused(self, done, wallet, maker):
        spend(wallet, ("look", 1_000), key="all")

        with pytest.raises(AdjustmentRefused, match="Nothing is left"):
            self.undone(done, maker)

    def test_is_not_undone_itself(self, done, maker):
        undo = given_back(self.undone(done, maker))

        assert not making_good.may_be_undone(undo)

    def test_lets_nobody_make_the_same_jobs_good_again(self, done, maker):
        given_back(self.undone(done, maker))

        assert making_good.find(incident("look", "image")).debits == ()


class TestDropped:
    def test_lets_another_have_its_debits(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        first = made_good(incident("look"), by=maker)
        making_good.reject(first, by=staff(), reason="Not our fault", at=NOW)

        second = made_good(incident("look"), by=maker, form_key="second")

        assert [debit.make_good for debit in MakeGoodDebit.objects.all()] == [second]

    def test_cannot_be_approved_any_more(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        make_good = made_good(incident("look"), by=maker)
        making_good.withdraw(make_good, by=maker, at=NOW)

        with pytest.raises(batches.DecidedBefore):
            approved(make_good)

    def test_is_not_approved_by_its_maker(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        make_good = made_good(incident("look"), by=maker)

        with pytest.raises(AdjustmentRefused, match="your own"):
            batches.approve(make_good, by=maker, at=NOW)


class TestDatabase:
    @pytest.fixture
    def waiting(self, wallet, maker):
        spend(wallet, ("look", 600), key="a")
        return made_good(incident("look"), by=maker)

    @pytest.mark.parametrize(
        ("change", "refused_by"),
        [
            ("billing_makegood SET state = 'APPROVED'", "makegood_decided_as_needed"),
            ("billing_makegood SET credits = 1", "batch_content_never_changes"),
            ("billing_makegooddebit SET given_credits = 600", "make_good_debit_once"),
            ("billing_makegooddebit SET credits = 900", "make_good_debit_once"),
        ],
    )
    def test_refuses_to_go_round_the_approval(self, waiting, change, refused_by):
        with pytest.raises(Error, match=refused_by), transaction.atomic():
            raw(f"UPDATE {change}")

    def test_refuses_to_let_debits_go_that_stand(self, waiting):
        with pytest.raises(Error, match="make_good_debit_once"), transaction.atomic():
            raw("DELETE FROM billing_makegooddebit")

    @pytest.fixture
    def other(self, waiting, maker):
        """Another one that waits, of two features of a job with three."""
        wallet = make_wallet(make_account("Other"), {"plan": (1_000, 30 * DAY)})
        spend(wallet, ("image", 600), ("look", 1), ("agent", 9), key="b")
        return made_good(incident("look", "image"), by=maker, form_key="other")

    def test_refuses_a_debit_of_two_make_goods(self, waiting, other):
        [debit] = waiting.debits.all()
        debit.pk, debit.make_good = None, other

        refused(debit, by="makegooddebit_once")

    @pytest.mark.parametrize(
        "changed",
        [
            {"feature": "agent"},
            {"feature": ""},
            {"credits": 601},
        ],
        ids=str,
    )
    def test_refuses_what_the_job_did_not_use_of_the_features(self, other, changed):
        debit = other.debits.get(feature="image")
        debit.pk = None
        for name, value in changed.items():
            setattr(debit, name, value)

        refused(debit, by="make_good_debit_of_what_moved")

    def test_refuses_to_take_back_what_another_gave(self, wallet, maker):
        spend(wallet, ("look", 5), key="a")
        spend(wallet, ("image", 5), key="b")
        given_back(made_good(incident("look"), by=maker))
        image = given_back(made_good(incident("image"), by=maker, form_key="image"))
        waiting = making_good.propose_undo(
            image.pk, comment=WHY, ticket="", by=maker, at=NOW
        )
        [debit] = waiting.debits.all()
        debit.pk, debit.entry = None, LedgerEntry.objects.get(kind="REVERSE", seq=4)

        refused(debit, by="make_good_debit")

    def test_refuses_to_undo_one_twice(self, wallet, maker):
        spend(wallet, ("look", 5), key="a")
        done = given_back(made_good(incident("look"), by=maker))
        undo = making_good.propose_undo(
            done.pk, comment=WHY, ticket="", by=maker, at=NOW
        )
        undo.pk, undo.public_id, undo.form_key = None, "mg_other", "other"
        undo.state = BatchState.PROPOSED

        refused(undo, by="makegood_undone_once")


class TestAudits:
    def test_find_credits_that_no_make_good_gave(self, wallet):
        entry_id = spend(wallet, ("look", 5), key="a")
        reverse(entry_id, key=f"make-good:1:{entry_id}:look")

        [finding] = audits.verify()

        assert finding.text == (
            f"make-good 1 moved 0 of entry {entry_id} look; its entries say 5"
        )


def refused(row, *, by: str) -> None:
    with pytest.raises(Error, match=by), transaction.atomic():
        row.save(force_insert=True)


def reverse(entry_id: int, *, key: str, credits: int | None = None) -> None:
    ledger.reverse(
        entry_id=entry_id,
        credits=credits,
        idempotency_key=key,
        actor="test",
        reason="given back",
        at=NOW,
    )


def cents_of_reversing(found) -> int:
    """What the grants' spent cost falls by, when all of it is really given back."""
    before = spent_cents()
    for debit in found.debits:
        key = f"try:{debit.entry_id}:{debit.feature}"
        reverse(debit.entry_id, key=key, credits=debit.credits)
    return before - spent_cents()


def spent_cents() -> int:
    return sum(
        grant.cost_basis_cents * (grant.granted - grant.remaining) // grant.granted
        for grant in CreditGrant.objects.all()
    )


def crash(*_: object, **__: object) -> None:
    raise RuntimeError("the worker was killed")


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
