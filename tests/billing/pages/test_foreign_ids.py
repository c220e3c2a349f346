"""Things of one account do not exist for the owner of another, at any address.

Which addresses name a thing is read off the URLconf: a new one fails here until
somebody says what thing to try.
"""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts import inviting, keys
from accounts.models import Membership, Role, Scope
from billing.models import ChangeKind, Invoice, InvoiceStatus, PlanChange, Timing
from tests.architecture.addresses import (
    OF_MEMBERS,
    has_thing,
    method_of,
    signed_in,
    url_of,
)
from tests.billing.conftest import buy, on_plan
from tests.billing.reloads import agree, reload, save_card, use
from tests.conftest import NOW
from tests.factories import make_member

pytestmark = pytest.mark.django_db
THING = {
    "accounts:change_role": "member",
    "accounts:remove_member": "member",
    "accounts:revoke_invitation": "invitation",
    "accounts:revoke_key": "key",
    "billing:change": "change",
    "billing:change_status": "change",
    "billing:confirm_reload": "reload",
    "billing:default_card": "card",
    "billing:drop_change": "change",
    "billing:invoice_page": "invoice",
    "billing:invoice_pdf": "invoice",
    "billing:purchase": "purchase",
    "billing:purchase_status": "purchase",
    "billing:remove_card": "card",
    "billing:undo_change": "change",
    "credits:set_member_cap": "member",
}
# Stripe has more to say of these than a thing that is made by hand knows.
ALONE = {
    *("billing:invoice_page", "billing:invoice_pdf"),
    *("billing:undo_change", "billing:drop_change"),
}


@pytest.fixture
def things(wire, business, alice) -> dict[str, dict[str, object]]:
    """One of each thing of the Business account, as addresses name it."""
    member = make_member(business, Role.MEMBER)
    inviting.invite(
        account=business,
        email="nils@example.com",
        role=Role.MEMBER,
        by=Membership.objects.get(user=alice),
        at=NOW,
    )
    card = save_card(wire, business)
    agree(business, alice, card)
    use(business, 1_200)
    key = keys.issue(
        name="Farm", scopes=[Scope.CREDITS_SPEND], account=business, by=alice, at=NOW
    )
    return {
        "member": {"membership_id": Membership.objects.get(user=member).pk},
        "invitation": {"invitation_id": business.invitations.get().pk},
        "key": {"public_id": key.key.public_id},
        "card": {"card_id": card.id},
        "reload": {"public_id": reload(business).purchase.public_id},
        "purchase": {"public_id": buy(business, alice).public_id},
        "invoice": {"invoice_id": invoice_of(business).pk},
        "change": {"public_id": change_of(business).public_id},
    }


def invoice_of(account) -> Invoice:
    return Invoice.objects.create(
        stripe_invoice_id="in_ours",
        account=account,
        status=InvoiceStatus.OPEN,
        reason="manual",
        currency="usd",
        net_cents=100,
        tax_cents=0,
        total_cents=100,
        due_cents=100,
        created_at=NOW,
    )


def change_of(account) -> PlanChange:
    subscription = account.subscriptions.get()
    return PlanChange.objects.create(
        account=account,
        subscription=subscription,
        kind=ChangeKind.CANCEL,
        timing=Timing.CYCLE_END,
        from_version=subscription.plan_version,
        to_version=subscription.plan_version,
        to_interval=subscription.interval,
        form_key="change",
        preview_hash="x",
        currency="usd",
        shown_cents=0,
        credits_now=0,
        prorated_at=NOW,
        requested_at=NOW,
    )


def visit(client, name: str, thing: dict[str, object]) -> int:
    return client.generic(method_of(name), url_of(name, **thing)).status_code


class TestThings:
    def test_are_said_for_every_address_that_names_one(self):
        assert set(THING) == {name for name in OF_MEMBERS if has_thing(name)}

    def test_of_another_account_are_not_found(self, things):
        stranger = signed_in(make_member(on_plan("business"), Role.OWNER))

        answers = {name: visit(stranger, name, things[THING[name]]) for name in THING}

        assert answers == dict.fromkeys(THING, 404)

    def test_are_found_by_their_own_account(self, things, alice):
        """So the answers above are about whose they are."""
        owner = signed_in(alice)
        names = sorted(set(THING) - ALONE, key=lambda name: "remove" in name)

        missing = [
            name for name in names if visit(owner, name, things[THING[name]]) == 404
        ]

        assert missing == []

    def test_are_not_reached_by_switching_to_their_account(self, things, business):
        stranger = signed_in(make_member(on_plan("creator"), Role.OWNER))

        stranger.post(reverse("accounts:switch"), {"account": business.public_id})

        assert visit(stranger, "billing:purchase", things["purchase"]) == 404
