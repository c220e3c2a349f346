"""Make-goods undone: taken back as far as it is there, and told."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from billing import making_good
from billing.adjusting import AdjustmentRefused
from billing.core.periods import Span
from billing.finance.reports import liability
from billing.finance.reports.amounts import Amount
from billing.finance.reports.movements import Movement
from billing.models import BatchState
from credits import audits
from credits.models import CreditGrant
from tests.billing.batches import (
    DAY,
    WHY,
    approved,
    available,
    given_back,
    incident,
    made_good,
    paid_wallet,
    spend,
)
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db


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
