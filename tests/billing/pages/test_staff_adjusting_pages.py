"""Staff adjust an account: the form, what it would change, and who else agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import StaffGroup
from billing import adjusting
from billing.models import Adjustment
from billing.views import staff_adjusting, staff_adjustments
from credits import ledger
from credits.models import CreditGrant, Wallet
from tests.billing.adjustments import add, adjust, make_admin, propose, remove
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import job, make_staff, make_wallet

pytestmark = pytest.mark.django_db
WHY = {
    "reason_code": "GOODWILL",
    "comment": "A video came out broken",
    "form_key": "one",
}
ADD = {"kind": "ADD", "credits": "200", "expires_on": "2027-03-10"}


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    for views in (staff_adjusting, staff_adjustments):
        monkeypatch.setattr(views, "now", lambda: NOW)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def ada():
    return make_admin("ada@example.com")


@pytest.fixture
def admin(ada):
    return signed_in(ada)


@pytest.fixture
def other():
    return signed_in(make_admin("grace@example.com"))


@pytest.fixture
def wallet():
    return make_wallet(grants={"a": (80, None)})


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def preview(browser, wallet, **asked):
    name = "billing:staff_preview_adjust"
    return browser.get(reverse(name, args=[wallet.account.public_id]), asked)


def confirm(browser, wallet, shown, **sent):
    name = "billing:staff_make_adjustment"
    address = reverse(name, args=[wallet.account.public_id])
    return browser.post(address, {**WHY, "shown": shown, **sent})


def decide(browser, what, adjustment, **sent):
    name = f"billing:staff_{what}_adjustment"
    return browser.post(reverse(name, args=[adjustment.public_id]), sent, follow=True)


def balance_of(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestAdjust:
    def test_shows_before_and_after_and_what_the_customer_sees(self, admin, wallet):
        answer = preview(admin, wallet, **ADD, customer_note="Sorry")

        assert answer.status_code == 200
        assert "Adjustment, +200: “Sorry”" in text_of(answer)
        [balance, *_] = answer.context["comparison"].figures
        assert (balance.before, balance.after) == (80, 280)
        assert balance_of(wallet) == 80

    def test_within_the_limit_is_done_at_once(self, admin, ada, wallet):
        shown = preview(admin, wallet, **ADD).context["preview"].shown

        answer = confirm(admin, wallet, shown, **ADD)

        made = Adjustment.objects.get()
        assert answer.url == f"/staff/adjustments/{made.public_id}/"
        assert (made.state, made.proposed_by, balance_of(wallet)) == ("MADE", ada, 280)

    def test_lasts_until_the_end_of_the_last_day(self, admin, wallet):
        wallet.account.time_zone = "Europe/Berlin"
        wallet.account.save()
        shown = preview(admin, wallet, **ADD).context["preview"].shown

        confirm(admin, wallet, shown, **ADD)

        grant = CreditGrant.objects.get(source="ADJUSTMENT")
        assert grant.expires_at.isoformat() == "2027-03-10T23:00:00+00:00"

    def test_above_the_limit_says_that_nothing_has_changed(self, admin, wallet):
        large = {**ADD, "credits": "501"}
        shown = preview(admin, wallet, **large).context["preview"].shown

        answer = confirm(admin, wallet, shown, **large)

        assert balance_of(wallet) == 80
        page = text_of(admin.get(answer.url))
        assert "Nothing has changed yet: this needs approval." in page
        assert "You proposed this, so somebody else has to approve it." in page
        assert "/approve/" not in page

    def test_with_a_short_reason_is_refused_by_the_page(self, admin, wallet):
        shown = preview(admin, wallet, **ADD).context["preview"].shown

        answer = confirm(admin, wallet, shown, **ADD, comment="Because")

        assert answer.status_code == 422
        assert "at least 10 characters" in text_of(answer)
        assert not Adjustment.objects.exists()

    def test_of_something_else_than_was_shown_is_shown_again(self, admin, wallet):
        shown = preview(admin, wallet, **ADD).context["preview"].shown
        ledger.spend(job(wallet, credits=1), at=NOW)

        answer = confirm(admin, wallet, shown, **ADD)

        assert answer.status_code == 409
        assert balance_of(wallet) == 79

    def test_of_more_than_is_available_says_so(self, admin, wallet):
        answer = preview(admin, wallet, kind="REMOVE", credits="81")

        assert answer.status_code == 422
        assert "There are fewer than 81 credits left of it." in text_of(answer)

    @pytest.mark.parametrize("kind", ["ADD", "REMOVE", "MOVE_EXPIRY"])
    def test_asks_for_what_is_missing(self, admin, wallet, kind):
        answer = preview(admin, wallet, kind=kind, customer_note="")

        assert answer.status_code == 422
        assert "This field is required." in text_of(answer)

    def test_moves_all_that_is_usable_of_a_grant(self, admin):
        wallet = make_wallet(grants={"soon": (80, timedelta(days=1))})
        asked = {
            "kind": "MOVE_EXPIRY",
            "grant": str(wallet.grants.get().pk),
            "expires_on": "2026-06-01",
        }
        shown = preview(admin, wallet, **asked).context["preview"].shown

        confirm(admin, wallet, shown, **asked)

        made = Adjustment.objects.get()
        assert (made.credits, made.entry.kind) == (80, "MOVE")
        assert wallet.grants.get(is_open=True).expires_at.month == 6

    def test_offers_a_write_off_only_to_who_owes(self, admin, wallet):
        address = reverse("billing:staff_adjust", args=[wallet.account.public_id])
        assert "WRITE_OFF_DEBT" not in text_of(admin.get(address))
        ledger.record_debt(
            wallet_id=wallet.pk,
            credits=5,
            idempotency_key="debt",
            actor="test",
            reason="",
            at=NOW,
        )

        assert "WRITE_OFF_DEBT" in text_of(admin.get(address))


class TestDesk:
    def test_lists_what_waits_first(self, admin, ada, wallet):
        propose(add(wallet.account, 600), ada)
        adjust(add(wallet.account, 5), ada)

        page = get(admin, "staff_adjustments")

        assert "1 adjustment waits for approval." in page
        assert page.index("Waits for approval") < page.rindex("Made")

    def test_can_be_filtered(self, admin, ada, wallet):
        adjust(add(wallet.account, 5), ada)

        page = get(admin, "staff_adjustments", state="REJECTED")

        assert "No adjustments" in page


class TestDecide:
    @pytest.fixture
    def proposed(self, ada, wallet):
        return propose(add(wallet.account, 600), ada)

    def shown_to(self, browser, adjustment) -> str:
        address = reverse("billing:staff_adjustment", args=[adjustment.public_id])
        return browser.get(address).context["shown"]

    def test_approving_makes_it(self, other, proposed, wallet):
        shown = self.shown_to(other, proposed)

        answer = decide(other, "approve", proposed, shown=shown)

        assert "It was approved and made." in text_of(answer)
        assert balance_of(wallet) == 680

    def test_approving_what_has_changed_is_shown_again(self, other, proposed, wallet):
        shown = self.shown_to(other, proposed)
        ledger.spend(job(wallet, credits=1), at=NOW)

        answer = decide(other, "approve", proposed, shown=shown)

        assert answer.status_code == 409
        assert balance_of(wallet) == 79

    def test_approving_ones_own_is_refused(self, admin, proposed, wallet):
        shown = self.shown_to(admin, proposed)

        answer = decide(admin, "approve", proposed, shown=shown)

        assert "somebody else has to approve it" in text_of(answer)
        assert balance_of(wallet) == 80

    def test_what_is_not_possible_any_more_has_no_button(self, other, ada, wallet):
        taken = propose(remove(wallet.account, 80), ada, needs_approval=True)
        ledger.spend(job(wallet, credits=1), at=NOW)

        page = get(other, "staff_adjustment", taken.public_id)

        assert "It cannot be made now: There are fewer than 80 credits" in page
        assert "/approve/" not in page

    def test_rejecting_wants_a_reason(self, other, proposed):
        answer = decide(other, "reject", proposed)
        assert answer.status_code == 422

        answer = decide(other, "reject", proposed, reason="Too much")

        assert "It was rejected: nothing has changed." in text_of(answer)
        assert "Too much" in text_of(answer)

    def test_withdrawing_is_for_its_maker(self, admin, proposed):
        answer = decide(admin, "withdraw", proposed)

        assert "It was withdrawn: nothing has changed." in text_of(answer)

    def test_support_sees_that_it_waits(self, proposed):
        page = get(
            signed_in(make_staff(StaffGroup.SUPPORT)),
            "staff_adjustment",
            proposed.public_id,
        )

        assert "It waits for somebody who may approve." in page


class TestReverse:
    def test_says_how_much_is_left_and_takes_that(self, admin, ada, wallet):
        made = adjust(add(wallet.account, 100), ada)
        Wallet.objects.get(pk=wallet.pk)
        ledger.spend(job(wallet, credits=30), at=NOW)
        address = reverse("billing:staff_preview_reversal", args=[made.public_id])
        answer = admin.get(address)
        left = adjusting.reversal_of(made).credits
        assert f"Reverse an adjustment: {left}" in text_of(answer)

        shown = answer.context["preview"].shown
        sent = {**WHY, "shown": shown}
        answer = admin.post(address + "now/", sent, follow=True)

        assert "The credits were adjusted." in text_of(answer)
        assert balance_of(wallet) == 150 - left

    def test_of_what_cannot_be_reversed_says_so(self, admin, ada, wallet):
        proposed = propose(add(wallet.account, 600), ada)
        address = reverse("billing:staff_preview_reversal", args=[proposed.public_id])

        answer = admin.get(address, follow=True)

        assert "This adjustment cannot be reversed." in text_of(answer)
