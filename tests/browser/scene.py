"""Accounts in every state that a page can show, and what goes into its address."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import count

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import expect

from accounts import inviting, keys, last_runs
from accounts.last_runs import LastRun
from accounts.models import Membership, Role, Scope, User
from billing import cards
from billing.changes import arranging, migrating, previewing
from billing.changes.changing import Request
from billing.models import PurchaseState, WebhookSubject
from billing.plans import catalogue
from billing.purchases import purchasing, settling
from billing.stripe_gateway import StripeEvent
from billing.stripe_gateway import sandbox as stripe_sandbox
from billing.webhooks import inbox
from config.clock import now, real_now
from config.demo import people
from credits import alerts
from credits.models import Wallet

NOOR = people.Person("noor@example.com", "Noor New", "is in no account yet")

Arguments = dict[str, tuple[object, ...]]
_orders = count(1)


def at_sign_in() -> Arguments:
    """Make what links in e-mails lead to."""
    user = User.objects.get(email=people.NORA.email)
    address = EmailAddress.objects.create(user=user, email="nora@example.com")
    reset = user_pk_to_url_str(user), default_token_generator.make_token(user)
    return {
        "reset": reset,
        "old reset": (reset[0], "old-link"),
        "confirmation": (EmailConfirmationHMAC(address).key,),
        "old confirmation": ("old-link",),
    }


def alerts_of(account) -> Arguments:
    """Make the links to unsubscribe of an address that has not and one that has."""
    wallet = Wallet.objects.get(account=account)
    alerts.unsubscribe(wallet=wallet, email="olga@example.com", at=now())
    return {
        "unsubscribe": (alerts.unsubscribe_token(wallet.pk, "nils@example.com"),),
        "unsubscribed": (alerts.unsubscribe_token(wallet.pk, "olga@example.com"),),
    }


def team_of(account) -> Arguments:
    """Invite people to an account and give it keys."""
    at, owner = now(), account.memberships.get(role=Role.OWNER)
    tokens = [invite(f"{name}@example.com", to=account) for name in ("nils", "olga")]
    revoked = account.invitations.get(email="olga@example.com")
    inviting.revoke(invitation=revoked, by=owner.user, at=at)
    used, gone = (
        keys.issue(
            name=name,
            scopes=[Scope.CREDITS_SPEND],
            account=account,
            by=owner.user,
            at=at,
        )
        for name in ("Render farm", "Old render farm")
    )
    keys.revoke(key=gone.key, by=owner.user, at=at)
    return {
        "invitation": (tokens[0],),
        "revoked invitation": (tokens[1],),
        "member": (account.memberships.get(role=Role.MEMBER).pk,),
        "key": (used.key.public_id,),
    }


def purchases_of(account, sandbox) -> Arguments:
    """Make a purchase in each of its states."""
    states = (PurchaseState.PAID, PurchaseState.REFUNDING, PurchaseState.REFUNDED)
    paid = {state: _paid_purchase(account, sandbox) for state in states}
    paid[PurchaseState.EXPIRED] = _order(account)
    for state, purchase in paid.items():
        account.purchases.filter(pk=purchase.pk).update(state=state)
    made = paid | {PurchaseState.OPEN: _order(account)}
    return {str(state): (purchase.public_id,) for state, purchase in made.items()}


def with_open_checkout(account, sandbox) -> Arguments:
    """Let an account on Free leave the checkout of a plan before paying."""
    return {"change": (_change_plan(account, "creator").public_id,)}


def on_creator(account, sandbox) -> Arguments:
    """Let an account on Free pay for Creator."""
    change = _change_plan(account, "creator")
    sandbox.pay(change.checkout_url)
    arranging.look(change, at=now())
    [card] = cards.cards_of(account, at=now())
    return {"change": (change.public_id,), "card": (card.id,)}


def with_end_taken_back(account) -> Arguments:
    """Let an account schedule the end of its legacy plan, and keep it after all."""
    change = _change_plan(account, "creator")
    arranging.take_back(change, at=now())
    return {"change": (change.public_id,)}


def inbox_of_staff() -> Arguments:
    """Let Stripe tell of a plan of an account that is not here, a while ago."""
    subject = {"id": "sub_1Lost", "object": "subscription", "status": "active"}
    told = StripeEvent(
        id="evt_1Lost",
        kind="customer.subscription.updated",
        object_id=subject["id"],
        object_kind=subject["object"],
        api_version="2026-10-28.endive",
        is_live=False,
        payload={"id": "evt_1Lost", "data": {"object": subject}},
    )
    subject_id = inbox.receive(told, at=now())
    WebhookSubject.objects.filter(pk=subject_id).update(
        attempts=4,
        last_error="UnknownAccount: There is no account acc_7tq2.",
        next_attempt_at=now() + timedelta(minutes=4),
        due_since=now() - timedelta(minutes=20),
    )
    for task, is_good in (("sweep", True), ("grant_cycles", False)):
        run = LastRun(real_now(), timedelta(seconds=2), is_good)
        last_runs.note(f"billing.tasks.{task}", run)
    return {"subject": (subject_id,)}


def with_unpaid_upgrade(account, sandbox) -> Arguments:
    """Let the card fail that an upgrade is to be paid with."""
    on_creator(account, sandbox)
    live = account.subscriptions.get(ended_at=None)
    stripe_sandbox.replace_card(
        live.stripe_subscription_id, by=stripe_sandbox.FAILING_METHOD
    )
    return {"change": (_change_plan(account, "pro-1000").public_id,)}


def with_cancellation(account, sandbox) -> Arguments:
    """Let the plan end with its paid term."""
    on_creator(account, sandbox)
    return {"change": (_change_plan(account, "free").public_id,)}


def with_new_price(account, sandbox) -> Arguments:
    """Let an account hear that its plan costs more from some day on."""
    on_creator(account, sandbox)
    dearer = catalogue.plan_in_force("creator", at=now())
    dearer.pk, dearer.version, dearer.starts_at = None, 2, now()
    dearer.month_cents = 3_900
    dearer.save()
    call_command("stripe_setup", verbosity=0)
    [planned] = migrating.planned(at=now())
    return {"change": (migrating.migrate(planned, at=now()).public_id,)}


def checkout_pages_of(account, sandbox) -> dict[str, str]:
    """Return the addresses of Stripe's pages: to pay, to prove it is you, paid."""
    paid = _paid_purchase(account, sandbox)
    paid.refresh_from_db()
    return {
        "open": _order(account).checkout_url,
        "challenged": _order(account).checkout_url,
        "paid": paid.checkout_url,
        "receipt": paid.receipt_url,
    }


def guard(person: people.Person) -> None:
    """Give somebody an authenticator app."""
    user = User.objects.get(email=person.email)
    TOTP.activate(user, generate_totp_secret())


def let_in(person: people.Person, account) -> None:
    """Make somebody a member of another account."""
    user = User.objects.get(email=person.email)
    Membership.objects.create(account=account, user=user, role=Role.ADMIN)


def invite(email, *, to) -> str:
    """Invite somebody to an account; return what the link in the e-mail carries."""
    owner = to.memberships.get(role=Role.OWNER)
    inviting.invite(account=to, email=email, role=Role.MEMBER, by=owner, at=now())
    # Once it is sent, it is nowhere else: the outbox keeps no secrets.
    [sent] = [message for message in mail.outbox if message.to == [email]]
    return re.search(r"/invitations/([^/\s]+)/", sent.body)[1]


def prove_identity(page) -> None:
    """Type the password again, without which nobody changes how they sign in."""
    page.goto("/accounts/reauthenticate/?next=/accounts/2fa/")
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/2fa/$"))


def plug_in_security_key(page) -> None:
    """Give the browser a security key that is touched whenever it asks."""
    debugger = page.context.new_cdp_session(page)
    debugger.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    debugger.send("WebAuthn.addVirtualAuthenticator", {"options": key})


def add_security_key(page, name) -> None:
    """Add the key that is plugged in, as its owner does."""
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add the key").click()
    expect(page).not_to_have_url(re.compile("/add/"))


def _change_plan(account, code):
    at = now()
    wanted = previewing.target(code, "MONTH", at=at)
    owner = account.memberships.get(role=Role.OWNER).user
    return arranging.make(
        previewing.preview(account.pk, wanted, at=at),
        Request(user=owner, form_key=f"scene{next(_orders)}"),
        account=account,
        at=at,
    )


def _paid_purchase(account, sandbox):
    purchase = _order(account)
    sandbox.pay(purchase.checkout_url)
    settling.settle(session_id=purchase.stripe_session_id, at=now())
    return purchase


def _order(account):
    at = now()
    return purchasing.buy_blocks(
        account=account,
        buyer=account.memberships.get(role=Role.OWNER).user,
        offer=catalogue.blocks_in_force(at=at),
        blocks=3,
        form_key=f"scene{next(_orders)}",
        at=at,
    )
