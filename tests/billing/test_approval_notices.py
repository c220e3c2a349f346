"""Who hears that something waits for approval, and how it was decided."""

from __future__ import annotations

import pytest

from accounts.models import Notice
from accounts.roles import StaffGroup
from billing import adjusting, batches
from billing.adjusting import Draft
from billing.models import AdjustmentKind
from tests.billing.adjustments import add, adjust, make_admin, propose
from tests.billing.batches import (
    carried_out,
    incident,
    line,
    made_good,
    proposed,
    sheet,
    spend,
)
from tests.billing.legacies import bring_in, end_row, on_legacy
from tests.conftest import NOW
from tests.factories import make_account, make_staff, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_admin("ada@example.com")


@pytest.fixture
def grace():
    return make_staff(StaffGroup.FINANCE, email="grace@example.com")


@pytest.fixture
def wallet(ada, grace):
    """An account, and staff of whom one may not approve."""
    make_staff(StaffGroup.SUPPORT, email="sam@example.com")
    return make_wallet(grants={"plan": (1_000, None)})


def told(kind: str) -> list[Notice]:
    return list(Notice.objects.filter(kind=kind).order_by("pk"))


class TestAsking:
    def test_reaches_who_may_approve_once_and_never_the_maker(self, wallet, ada):
        for _ in range(2):
            waiting = propose(add(wallet.account, 600), ada, form_key="one")

        [notice] = told("staff_approval")
        assert (notice.recipient, notice.account) == ("grace@example.com", None)
        assert notice.subject == (
            "Waits for approval: Add credits for Northwind Studio (600 credits)"
        )
        assert "Why: A video came out broken" in notice.text
        assert f"/staff/adjustments/{waiting.public_id}/" in notice.text
        assert f"/staff/adjustments/{waiting.public_id}/" in notice.html

    def test_is_silent_where_nobody_else_is_needed(self, wallet, ada):
        adjust(add(wallet.account, 5), ada)

        assert told("staff_approval") == told("staff_decision") == []

    def test_of_a_file_is_one_for_all_its_rows(self, wallet, ada, grace):
        rows = [line(wallet.account, 400), line(wallet.account, 300)]
        file = proposed(sheet(*rows), by=ada)
        batches.approve(file, by=grace, at=NOW)

        carried_out(file)

        [asked], [answered] = told("staff_approval"), told("staff_decision")
        assert asked.subject.endswith("A file of adjustments (700 credits)")
        assert answered.subject.startswith("Approved: A file of adjustments")

    def test_of_a_make_good_names_its_features(self, wallet, ada):
        spend(wallet, ("look", 600), key="a")

        made_good(incident("look"), by=ada)

        [notice] = told("staff_approval")
        assert notice.subject.endswith("Make good look (600 credits)")


class TestAnswering:
    @pytest.fixture
    def waiting(self, wallet, ada):
        return propose(add(wallet.account, 600), ada)

    def test_tells_the_maker_who_approved(self, waiting, grace):
        adjusting.approve(waiting.pk, by=grace, at=NOW)

        [notice] = told("staff_decision")
        assert notice.recipient == "ada@example.com"
        assert notice.subject.startswith("Approved: Add credits")
        assert f"{grace.display_name} approved what you proposed" in notice.text

    def test_tells_the_maker_why_not(self, waiting, grace):
        adjusting.reject(waiting.pk, by=grace, reason="Too much", at=NOW)

        [notice] = told("staff_decision")
        assert notice.subject.startswith("Rejected: Add credits")
        assert "Why not: Too much" in notice.text
        assert "Too much" in notice.html

    def test_is_silent_of_what_the_maker_withdrew(self, waiting, ada):
        adjusting.withdraw(waiting.pk, by=ada, at=NOW)

        assert told("staff_decision") == []


class TestOfTwo:
    """R35 needs two others."""

    @pytest.fixture
    def waiting(self, offered, ada, grace):
        account = on_legacy(make_account())
        assert bring_in(end_row(account)).errors == ()
        subscription_id = account.subscriptions.get().pk
        kind = AdjustmentKind.RESTORE_LEGACY
        return propose(Draft(account, kind, subscription_id=subscription_id), ada)

    def test_says_so(self, waiting):
        [notice] = told("staff_approval")

        assert "Two people have to approve this." in notice.text
        assert notice.subject.endswith("Give a legacy plan back for Northwind Studio")

    def test_tells_the_maker_once_both_have_agreed(self, waiting, grace):
        adjusting.approve(waiting.pk, by=grace, at=NOW)
        assert told("staff_decision") == []

        adjusting.approve(waiting.pk, by=make_admin(), at=NOW)

        assert len(told("staff_decision")) == 1
