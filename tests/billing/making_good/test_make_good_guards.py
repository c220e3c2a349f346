"""What the database refuses of make-goods, and what the audit finds."""

from __future__ import annotations

import pytest
from django.db import Error, connection, transaction

from billing import making_good
from billing.models import BatchState
from credits import audits
from credits.models import LedgerEntry
from tests.billing.batches import (
    DAY,
    WHY,
    given_back,
    incident,
    made_good,
    reverse,
    spend,
)
from tests.conftest import NOW
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.django_db


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


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
