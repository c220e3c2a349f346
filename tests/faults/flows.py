"""The flows that may be interrupted: how each begins, is played, and should end.

What is played may run in another process, so it is given ids and text only. What came
of it is read from the portal's rows and, for money, from Stripe's charges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from accounts.models import Account, Role, User
from billing import payments, tasks
from billing.changes import arranging, canceling_now, previewing
from billing.changes.canceling_now import Wish
from billing.changes.changing import Request
from billing.models import (
    Dispute,
    Interval,
    PlanChange,
    Purchase,
    Refund,
    Reload,
)
from billing.plans import catalogue
from billing.purchases import purchasing
from billing.refunds import refunding
from billing.refunds.refunding import Extent
from billing.webhooks import inbox
from credits import ledger
from credits import tasks as credit_tasks
from credits.models import CreditGrant, EntryKind, GrantSource, LedgerEntry, Wallet
from tests.billing import reloads
from tests.billing.bank import Bank
from tests.billing.conftest import event_of
from tests.billing.plans import Plans
from tests.factories import make_account, make_member, make_user

Given = dict[str, Any]
Outcome = Mapping[str, Any]
_HOUR = timedelta(hours=1)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Flow:
    """One thing that the portal does for an account.

    `begin` brings everything about up to the moment before; `act` is what may be
    interrupted. `nothing` is what is read while no intent was committed, or None where
    the cause lasts, so that it is found anyway. `given_up` is what is read where Stripe
    could not be asked while what was shown held. `is_told_again`: Stripe repeats a
    webhook that was not answered.
    """

    begin: Callable[[Plans], Given]
    act: Callable[[Given, datetime], object]
    came_of: Callable[[Plans, Given], Outcome]
    done: Outcome
    nothing: Outcome | None = None
    given_up: Outcome | None = None
    is_told_again: bool = False


def _customer(plans: Plans, code: str, interval: Interval = Interval.MONTH) -> Given:
    """Return an account that pays for a plan at Stripe, and its owner."""
    account = make_account()
    owner = make_member(account, Role.OWNER)
    plans.subscribe(account, code, interval)
    return {
        "account": account.pk,
        "owner": owner.pk,
        "form": f"form{next(_numbers)}",
        "charges": len(plans.wire.charges()),
    }


def _account(given: Given) -> Account:
    return Account.objects.get(pk=given["account"])


def _charged(plans: Plans, given: Given) -> list[int]:
    """What Stripe charged after the plan's first term, in cents, oldest first."""
    charges = plans.wire.charges()[given["charges"] :]
    return [charge["amount"] for charge in charges if charge["paid"]]


def _granted(given: Given, source: GrantSource) -> list[int]:
    grants = CreditGrant.objects.filter(
        wallet__account_id=given["account"], source=source
    )
    return list(grants.order_by("pk").values_list("granted", flat=True))


def _buy(given: Given, at: datetime) -> Purchase:
    return purchasing.buy_blocks(
        account=_account(given),
        buyer=User.objects.get(pk=given["owner"]),
        offer=catalogue.blocks_in_force(at=at),
        blocks=3,
        form_key=given["form"],
        at=at,
    )


def _on_business(plans: Plans) -> Given:
    return _customer(plans, "business")


def _order(plans: Plans, given: Given) -> Outcome:
    """What came of an order; a page that was opened is one that can be paid."""
    orders = Purchase.objects.filter(account_id=given["account"])
    return {
        "pages": [bool(order.checkout_url) for order in orders],
        "charged": _charged(plans, given),
    }


def _paid_page(plans: Plans) -> Given:
    given = _on_business(plans)
    purchase = _buy(given, plans.at)
    assert plans.wire.pay(purchase.stripe_session_id).status == 303
    [told] = [
        event
        for event in plans.wire.events("checkout.session.completed")
        if event["data"]["object"]["id"] == purchase.stripe_session_id
    ]
    return given | {"event": told, "purchase": purchase.pk}


def _hear(given: Given, at: datetime) -> None:
    """Store an event and look at its object, as webhook and worker do."""
    subject_id = inbox.receive(event_of(given["event"]), at=at)
    inbox.look_at(subject_id, at=at)


def _bought(plans: Plans, given: Given) -> Outcome:
    return {
        "charged": _charged(plans, given),
        "granted": _granted(given, GrantSource.PURCHASE),
    }


def _short_of_credits(plans: Plans) -> Given:
    given = _on_business(plans)
    account = _account(given)
    card = reloads.save_card(plans.wire, account)
    owner = User.objects.get(pk=given["owner"])
    reloads.agree(account, owner, card, at=plans.at)
    reloads.use(account, 1_100, at=plans.at)
    return given


def _reload(given: Given, _at: datetime) -> None:
    tasks.reload(account_id=given["account"])


def _reloaded(plans: Plans, given: Given) -> Outcome:
    started = Reload.objects.filter(account_id=given["account"])
    return {
        "states": [reload.state for reload in started],
        "charged": _charged(plans, given),
        "granted": _granted(given, GrantSource.RELOAD),
    }


def _on_creator(plans: Plans) -> Given:
    return _customer(plans, "creator")


def _change_to(code: str) -> Callable[[Given, datetime], object]:
    def act(given: Given, at: datetime) -> object:
        wanted = previewing.target(code, Interval.MONTH, at=at)
        return arranging.make(
            previewing.preview(given["account"], wanted, at=at),
            Request(User.objects.get(pk=given["owner"]), given["form"]),
            account=_account(given),
            at=at,
        )

    return act


def _changed(plans: Plans, given: Given) -> Outcome:
    changes = PlanChange.objects.filter(account_id=given["account"])
    subscription = _account(given).subscriptions.get()
    return {
        "changes": [change.state for change in changes],
        "plan": subscription.plan_version.plan.code,
        "ends": subscription.cancel_at is not None,
        "charges": len(_charged(plans, given)),
    }


def _paid_blocks(plans: Plans) -> Given:
    given = _paid_page(plans)
    plans.hear()
    return given | {"staff": make_user(is_staff=True).pk}


def _refund(given: Given, at: datetime) -> None:
    payment = payments.payment_for(Purchase.objects.get(pk=given["purchase"]))
    assert payment
    refunding.ask(
        payment,
        refunding.preview(payment, Extent.UNSPENT, at=at),
        by=User.objects.get(pk=given["staff"]),
        reason="Asked for by phone",
        form_key=given["form"],
        at=at,
    )


def _refunded(plans: Plans, given: Given) -> Outcome:
    refunds = Refund.objects.filter(account_id=given["account"])
    intent_id = Purchase.objects.get(pk=given["purchase"]).stripe_payment_intent_id
    made = plans.wire.sandbox.store.find("refund", payment_intent=intent_id)
    return {
        "refunds": [(one.state, one.credits_removed) for one in refunds],
        "at Stripe": [refund["amount"] for refund in made],
        "available": Wallet.objects.get(account_id=given["account"]).available,
    }


def _partly_used(plans: Plans) -> Given:
    given = _on_creator(plans)
    reloads.use(_account(given), 200, at=plans.at)
    return given | {"staff": make_user(is_staff=True).pk}


def _end_plan(given: Given, at: datetime) -> None:
    canceling_now.cancel(
        canceling_now.preview(given["account"], at=at),
        Wish(
            with_refund=True,
            by=User.objects.get(pk=given["staff"]),
            reason="Asked for by phone",
            form_key=given["form"],
        ),
        at=at,
    )


def _plan_ended(plans: Plans, given: Given) -> Outcome:
    subscription = _account(given).subscriptions.get()
    refunds = Refund.objects.filter(account_id=given["account"])
    [theirs] = plans.wire.sandbox.store.find(
        "subscription", id=subscription.stripe_subscription_id
    )
    return {
        "refunds": [(one.amount_cents, one.credits_removed) for one in refunds],
        "at Stripe": theirs["status"],
        "has ended": subscription.ended_at is not None,
        "available": Wallet.objects.get(account_id=given["account"]).available,
    }


def _disputed_blocks(plans: Plans) -> Given:
    given = _paid_blocks(plans)
    purchase = Purchase.objects.get(pk=given["purchase"])
    Bank(plans, hears=False).dispute(purchase)
    return given | {"event": plans.wire.events("charge.dispute.created")[-1]}


def _disputed(_plans: Plans, given: Given) -> Outcome:
    disputes = Dispute.objects.filter(account_id=given["account"])
    wallet = Wallet.objects.get(account_id=given["account"])
    return {
        "disputes": [(one.effect, one.frozen_credits) for one in disputes],
        "frozen": wallet.frozen,
        "available": wallet.available,
    }


def _on_a_year(plans: Plans) -> Given:
    given = _customer(plans, "business", Interval.YEAR)
    month = timedelta(days=31)
    plans.at += month
    plans.wire.at(plans.at)
    return given


def _grant_months(_given: Given, _at: datetime) -> None:
    tasks.grant_cycles()


def _month_granted(plans: Plans, given: Given) -> Outcome:
    return {
        "charged": _charged(plans, given),
        "granted": _granted(given, GrantSource.PLAN),
    }


def _expired_gift(plans: Plans) -> Given:
    given = _on_business(plans)
    wallet = Wallet.objects.get(account_id=given["account"])
    ledger.grant(
        wallet_id=wallet.pk,
        source=GrantSource.PROMO,
        source_key=f"gift:{given['form']}",
        credits=70,
        cost_basis_cents=0,
        effective_at=plans.at,
        expires_at=plans.at + _HOUR,
        actor="test",
        at=plans.at,
    )
    plans.at += _HOUR
    plans.wire.at(plans.at)
    return given


def _expire(_given: Given, _at: datetime) -> None:
    credit_tasks.expire_due_grants()


def _expired(_plans: Plans, given: Given) -> Outcome:
    entries = LedgerEntry.objects.filter(wallet__account_id=given["account"])
    return {
        "expired": [entry.credits for entry in entries.filter(kind=EntryKind.EXPIRE)],
        "available": Wallet.objects.get(account_id=given["account"]).balance,
    }


_UNTOUCHED: dict[str, object] = {
    "changes": [],
    "plan": "creator",
    "ends": False,
    "charges": 0,
}
FLOWS = {
    "checkout": Flow(
        begin=_on_business,
        act=_buy,
        came_of=_order,
        done={"pages": [True], "charged": []},
        nothing={"pages": [], "charged": []},
        given_up={"pages": [False], "charged": []},
    ),
    "purchase": Flow(
        begin=_paid_page,
        act=_hear,
        came_of=_bought,
        done={"charged": [1_500], "granted": [300]},
    ),
    "reload": Flow(
        begin=_short_of_credits,
        act=_reload,
        came_of=_reloaded,
        done={"states": ["PAID"], "charged": [1_500], "granted": [300]},
    ),
    "upgrade": Flow(
        begin=_on_creator,
        act=_change_to("pro-1000"),
        came_of=_changed,
        done={"changes": ["DONE"], "plan": "pro-1000", "ends": False, "charges": 1},
        nothing=_UNTOUCHED,
        given_up=_UNTOUCHED | {"changes": ["REFUSED"]},
    ),
    "cancel": Flow(
        begin=_on_creator,
        act=_change_to("free"),
        came_of=_changed,
        done={"changes": ["SCHEDULED"], "plan": "creator", "ends": True, "charges": 0},
        nothing=_UNTOUCHED,
        given_up=_UNTOUCHED | {"changes": ["REFUSED"]},
    ),
    "refund": Flow(
        begin=_paid_blocks,
        act=_refund,
        came_of=_refunded,
        done={"refunds": [("DONE", 300)], "at Stripe": [1_500], "available": 1_500},
        nothing={"refunds": [], "at Stripe": [], "available": 1_800},
    ),
    "end now": Flow(
        begin=_partly_used,
        act=_end_plan,
        came_of=_plan_ended,
        done={
            "refunds": [(1_933, 400)],
            "at Stripe": "canceled",
            "has ended": True,
            "available": 0,
        },
        nothing={
            "refunds": [],
            "at Stripe": "active",
            "has ended": False,
            "available": 400,
        },
    ),
    "dispute": Flow(
        begin=_disputed_blocks,
        act=_hear,
        came_of=_disputed,
        done={"disputes": [("FROZEN", 300)], "frozen": 300, "available": 1_500},
        is_told_again=True,
    ),
    "month": Flow(
        begin=_on_a_year,
        act=_grant_months,
        came_of=_month_granted,
        done={"charged": [], "granted": [1_500, 1_500]},
    ),
    "expiry": Flow(
        begin=_expired_gift,
        act=_expire,
        came_of=_expired,
        done={"expired": [-70], "available": 1_500},
    ),
}
