"""What each role of the staff may do about what waits, by sending the pages' forms."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import making_good
from billing.models import Adjustment, BulkFile, MakeGood
from config.clock import now
from credits.models import Wallet
from tests.billing.adjustments import WHY, add, adjust, make_admin, propose
from tests.billing.batches import (
    carried_out,
    incident,
    line,
    made_good,
    proposed,
    sheet,
    spend,
)
from tests.factories import make_staff, make_wallet

pytestmark = pytest.mark.django_db

SUPPORT, ADMIN, FINANCE = StaffGroup.SUPPORT, StaffGroup.ADMIN, StaffGroup.FINANCE
COMMENT = {"comment": "Agreed with the customers by phone", "ticket": ""}


@pytest.fixture
def wallet():
    return make_wallet(grants={"plan": (2_000, None)})


@pytest.fixture
def maker():
    return make_admin("maker@example.com")


@pytest.fixture
def waiting(request, wallet, maker):
    """What waits for somebody else, by the name that its addresses have."""
    at = now()
    match request.param:
        case "adjustment":
            return propose(add(wallet.account, 600), maker, at=at)
        case "bulk":
            return proposed(sheet(line(wallet.account, 600)), by=maker, at=at)
        case _:
            spend(wallet, ("look", 600), key="a", at=at)
            about = incident("look", starts_at=at, ends_at=at + at.resolution)
            return made_good(about, by=maker, at=at)


def send(user, what: str, thing, **sent):
    """Send a form of a page as somebody; return the answer."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    names = {Adjustment: "adjustment", BulkFile: "bulk", MakeGood: "make_good"}
    name = f"billing:staff_{what}_{names[type(thing)]}"
    if isinstance(thing, Adjustment) and what == "approve":
        page = client.get(reverse("billing:staff_adjustment", args=[thing.public_id]))
        sent["shown"] = page.context["shown"]
    return client.post(reverse(name, args=[thing.public_id]), sent, follow=True)


def seen_by(user, thing) -> str:
    """The page of what waits, as somebody sees it."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    pages = {Adjustment: "adjustment", BulkFile: "bulk_file", MakeGood: "make_good"}
    name = f"billing:staff_{pages[type(thing)]}"
    return client.get(reverse(name, args=[thing.public_id])).text


def state_of(thing) -> str:
    thing.refresh_from_db()
    return thing.state


def denials(user) -> int:
    return AuditEvent.objects.filter(action="access.denied", actor_id=user.pk).count()


ALL = pytest.mark.parametrize(
    "waiting", ["adjustment", "bulk", "make_good"], indirect=True
)


@ALL
class TestApproving:
    @pytest.mark.parametrize("group", [ADMIN, FINANCE])
    def test_is_for_who_may_approve(self, waiting, group):
        other = make_staff(group)

        answer = send(other, "approve", waiting)

        assert answer.status_code == 200
        assert state_of(waiting) in {"MADE", "APPROVED"}
        assert waiting.decided_by == other

    def test_is_not_for_support(self, waiting):
        sam = make_staff(SUPPORT)

        answer = send(sam, "approve", waiting)

        assert (answer.status_code, state_of(waiting)) == (403, "PROPOSED")
        assert denials(sam) == 1

    def test_is_not_for_its_maker(self, waiting, maker):
        send(maker, "approve", waiting)

        assert state_of(waiting) == "PROPOSED"


@ALL
class TestRejecting:
    @pytest.mark.parametrize("group", [ADMIN, FINANCE])
    def test_is_for_who_may_approve(self, waiting, group):
        send(make_staff(group), "reject", waiting, reason="Too much")

        assert state_of(waiting) == "REJECTED"
        assert waiting.decision_reason == "Too much"

    def test_is_not_for_support(self, waiting):
        sam = make_staff(SUPPORT)

        answer = send(sam, "reject", waiting, reason="Too much")

        assert (answer.status_code, state_of(waiting)) == (403, "PROPOSED")
        assert denials(sam) == 1

    def test_is_not_for_its_maker(self, waiting, maker):
        answer = send(maker, "reject", waiting, reason="Changed my mind")

        assert "withdraw it instead" in answer.text
        assert state_of(waiting) == "PROPOSED"


@ALL
class TestWithdrawing:
    def test_is_for_its_maker(self, waiting, maker):
        send(maker, "withdraw", waiting)

        assert state_of(waiting) == "WITHDRAWN"

    @pytest.mark.parametrize("group", [SUPPORT, ADMIN])
    def test_is_for_nobody_else(self, waiting, group):
        answer = send(make_staff(group), "withdraw", waiting)

        assert "Only who proposed it can withdraw it." in answer.text
        assert state_of(waiting) == "PROPOSED"

    def test_is_offered_to_its_maker(self, waiting, maker):
        assert "Withdraw" in seen_by(maker, waiting)

    def test_is_not_offered_to_a_maker_who_may_no_longer_adjust(self, waiting, maker):
        maker.groups.set(Group.objects.filter(name=FINANCE))

        assert "Withdraw" not in seen_by(maker, waiting)

    def test_is_not_for_who_may_not_adjust(self, waiting):
        answer = send(make_staff(FINANCE), "withdraw", waiting)

        assert (answer.status_code, state_of(waiting)) == (403, "PROPOSED")


class TestReversing:
    """An adjustment is reversed, a file and a make-good are undone."""

    @pytest.fixture
    def made(self, wallet, maker):
        return adjust(add(wallet.account, 100), maker, at=now())

    def reversed_by(self, user, made):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        address = reverse("billing:staff_preview_reversal", args=[made.public_id])
        page = client.get(address)
        sent = {
            "reason_code": WHY.reason_code,
            "comment": WHY.comment,
            "form_key": "one",
            "shown": page.context["preview"].shown if page.status_code == 200 else "",
        }
        return client.post(address + "now/", sent, follow=True)

    @pytest.mark.parametrize("group", [SUPPORT, ADMIN])
    def test_is_for_who_may_adjust(self, made, wallet, group):
        self.reversed_by(make_staff(group), made)

        assert Wallet.objects.get(pk=wallet.pk).available == 2_000

    def test_is_not_for_finance(self, made, wallet):
        answer = self.reversed_by(make_staff(FINANCE), made)

        assert answer.status_code == 403
        assert Wallet.objects.get(pk=wallet.pk).available == 2_100

    @pytest.fixture(params=["bulk", "make_good"])
    def done(self, request, wallet, maker):
        at = now()
        if request.param == "bulk":
            content = sheet(line(wallet.account, 100))
            return carried_out(proposed(content, by=maker, at=at), at=at)
        spend(wallet, ("look", 100), key="a", at=at)
        about = incident("look", starts_at=at, ends_at=at + at.resolution)
        make_good = made_good(about, by=maker, at=at)
        making_good.give_back(limit=1, at=at)
        make_good.refresh_from_db()
        return make_good

    @pytest.mark.parametrize("group", [SUPPORT, ADMIN])
    def test_as_a_whole_is_for_who_may_adjust(self, done, group):
        answer = send(make_staff(group), "undo", done, **COMMENT)

        assert "Undoing" in answer.text
        assert [undo.state for undo in done.undoings.all()] == ["APPROVED"]

    def test_as_a_whole_is_not_for_finance(self, done):
        answer = send(make_staff(FINANCE), "undo", done, **COMMENT)

        assert answer.status_code == 403
        assert not done.undoings.exists()

    def test_as_a_whole_is_explained(self, done):
        answer = send(make_staff(ADMIN), "undo", done, comment="Oops")

        assert answer.status_code == 422
        assert not done.undoings.exists()
