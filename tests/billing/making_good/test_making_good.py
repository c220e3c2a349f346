"""Incidents made good: found, agreed to, given back once."""

from __future__ import annotations

import pytest

from accounts.models import Notice, StaffLimit
from billing import batches, making_good
from billing.adjusting import AdjustmentRefused
from billing.making_good import giving_back
from billing.models import BatchState, MakeGoodDebit
from credits import audits, ledger
from credits.models import CreditGrant, LedgerEntry, Wallet
from tests.billing.batches import (
    DAY,
    HOUR,
    WHY,
    approved,
    available,
    given_back,
    incident,
    made_good,
    paid_wallet,
    reverse,
    spend,
    staff,
)
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db


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
