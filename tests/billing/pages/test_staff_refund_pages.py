"""Staff find an account, refund a payment and end a plan; each is confirmed."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.roles import StaffGroup
from billing.models import Refund
from billing.refunds.refunding import Extent
from billing.views import staff_accounts, staff_refunds
from tests.billing.pages.conftest import get
from tests.billing.plans import Plans
from tests.billing.refunds import LATER, bought, refund, use, wallet_of
from tests.factories import make_account, make_staff

pytestmark = pytest.mark.django_db
SURE = {"reason": "By phone", "is_sure": "on", "form_key": "one"}


@pytest.fixture(autouse=True)
def _later(monkeypatch):
    for views in (staff_accounts, staff_refunds):
        monkeypatch.setattr(views, "now", lambda: LATER)


@pytest.fixture
def admin(client):
    client.force_login(make_staff(StaffGroup.ADMIN))
    return client


@pytest.fixture
def purchase(wire, business, alice):
    return bought(wire, business, alice)


def shown_on(answer) -> str:
    return answer.context["preview"].shown


def preview(admin, purchase, **asked):
    address = reverse("billing:staff_preview_refund", args=[intent(purchase)])
    return admin.get(address, asked)


def confirm(admin, purchase, **sent):
    address = reverse("billing:staff_refund", args=[intent(purchase)])
    return admin.post(address, {**SURE, **sent})


def intent(purchase) -> str:
    return purchase.stripe_payment_intent_id


class TestRefund:
    def test_is_made_as_it_was_shown(self, admin, purchase):
        shown = shown_on(preview(admin, purchase, extent="unspent"))

        answer = confirm(admin, purchase, extent="unspent", shown=shown)

        assert answer.status_code == 303
        [made] = Refund.objects.all()
        assert (made.amount_cents, made.reason) == (500, "By phone")
        assert "on its way back" in get(admin, "staff_payment", intent(purchase))

    def test_is_shown_again_if_something_has_changed(self, admin, purchase, business):
        shown = shown_on(preview(admin, purchase, extent="unspent"))
        use(business, 1_510)

        answer = confirm(admin, purchase, extent="unspent", shown=shown)

        assert answer.status_code == 409
        assert "$4.50 back to" in answer.content.decode()
        assert not Refund.objects.exists()

    def test_wants_a_reason_and_a_word(self, admin, purchase):
        shown = shown_on(preview(admin, purchase, extent="all"))

        answer = confirm(
            admin, purchase, extent="all", shown=shown, reason="", is_sure=""
        )

        assert answer.status_code == 422
        assert "Say why." in answer.content.decode()

    def test_of_another_amount_wants_the_amount(self, admin, purchase):
        answer = preview(admin, purchase, extent="amount")

        assert answer.status_code == 422
        assert "Say how much." in answer.content.decode()

    def test_of_another_amount_is_in_proportion(self, admin, purchase):
        answer = preview(admin, purchase, extent="amount", amount="1.25")

        assert "25 credits that are unspent end." in answer.content.decode()

    def test_says_what_will_be_owed(self, admin, purchase, business):
        use(business, 1_570)

        answer = preview(admin, purchase, extent="all")

        text = " ".join(answer.content.decode().split())
        assert "70 credits were used and will be owed: $3.50." in text

    def test_beyond_what_is_left_is_refused(self, admin, purchase):
        answer = preview(admin, purchase, extent="amount", amount="5.01")

        assert answer.status_code == 422
        assert "more than is left" in answer.content.decode()

    def test_is_not_for_support(self, client, purchase):
        client.force_login(make_staff(StaffGroup.SUPPORT))

        assert confirm(client, purchase).status_code == 403
        assert "Refund it" not in get(client, "staff_payment", intent(purchase))

    def test_of_an_unknown_payment_is_not_found(self, admin):
        address = reverse("billing:staff_payment", args=["pi_unknown"])

        assert admin.get(address).status_code == 404


class TestLists:
    def test_refunds_that_failed_come_first(self, admin, wire, business, alice):
        done = refund(bought(wire, business, alice))
        failed = refund(bought(wire, business, alice))
        Refund.objects.filter(pk=failed.pk).update(
            state="FAILED", failure="expired_or_canceled_card"
        )

        page = get(admin, "staff_refunds")

        assert page.index(failed.public_id) < page.index(done.public_id)
        assert "expired_or_canceled_card" in page

    def test_an_account_shows_what_it_owes(self, admin, purchase, business):
        use(business, 1_570)
        refund(purchase, Extent.ALL)

        page = get(admin, "staff_account", business.public_id)

        assert "70, or $3.50" in page
        assert purchase.public_id in page


class TestEndPlan:
    def test_ends_it_as_it_was_shown(self, admin, business, offered):
        address = reverse("billing:staff_preview_cancel", args=[business.public_id])
        shown = shown_on(admin.get(address))
        sent = {**SURE, "with_refund": "no", "shown": shown}

        answer = admin.post(
            reverse("billing:staff_cancel", args=[business.public_id]), sent
        )

        assert answer.status_code == 303
        assert business.subscriptions.get().ended_at == LATER
        assert wallet_of(business).available == 0

    def test_says_that_it_ends_once_stripe_answers(self, admin, wire):
        account = make_account()
        Plans(wire).subscribe(account, "creator")
        shown = shown_on(
            admin.get(reverse("billing:staff_preview_cancel", args=[account.public_id]))
        )
        wire.fail_next("reset", on="DELETE", times=3)

        answer = admin.post(
            reverse("billing:staff_cancel", args=[account.public_id]),
            {**SURE, "with_refund": "yes", "shown": shown},
            follow=True,
        )

        assert "The plan ends as soon as it does." in answer.content.decode()
        [made] = account.refunds.all()
        assert (made.amount_cents, made.reason) == (2_900, "By phone")
        assert account.subscriptions.get().ended_at is None

    def test_is_shown_again_if_something_has_changed(self, admin, business, offered):
        sent = {**SURE, "with_refund": "no", "shown": "something else"}

        answer = admin.post(
            reverse("billing:staff_cancel", args=[business.public_id]), sent
        )

        assert answer.status_code == 409
        assert business.subscriptions.get().ended_at is None
