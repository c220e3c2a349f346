"""Customers of a simulation: who they are, and everything that they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from accounts.models import Account, Membership, Role, User
from billing.changes import arranging, changing, previewing
from billing.changes.changing import Request
from billing.models import ChangeKind, Interval, Invoice, InvoiceStatus, PlanChange
from billing.plans import catalogue, subscribing
from billing.purchases import purchasing, settling
from billing.stripe_gateway import BillingError, NotAtStripe, invoice, sandbox
from config.clock import now
from credits import ledger, quoting
from credits.core.rating import JobLine
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from billing.models import Subscription

_PLANS = ("creator", "pro-1000", "pro-2000", "pro-5000", "business", "business")
_YEARLY, _IN_A_HURRY = 0.15, 0.8
_LONGEST_FILM_S = 240


@dataclass(frozen=True, slots=True)
class Customer:
    """One account, its owner, and the chance that decides what they do."""

    account: Account
    owner: User
    chance: Random

    def live(self, *, at: datetime) -> str:
        """Do one thing at random; return what it was and how it went.

        Raises:
            NotAtStripe, SandboxRefused: no customer could bring that about.
        """
        has_plan = subscribing.live_subscription(self.account.pk) is not None
        actions, weights = zip(
            *(_ON_A_PLAN if has_plan else _ON_FREE).items(), strict=True
        )
        [action] = self.chance.choices(actions, weights)
        try:
            action(self, at)
        except (NotAtStripe, sandbox.SandboxRefused):
            raise
        except (BillingError, ledger.CreditsError, _NothingToDo) as refused:
            return f"{action.__name__}: {type(refused).__name__}"
        return f"{action.__name__}: done"

    def key(self) -> str:
        """Return a name for a form or a job: another one each time."""
        return f"{self.account.pk}-{self.chance.getrandbits(64):016x}"


class _NothingToDo(Exception):
    """It makes no sense at the moment; nobody would try."""


@transaction.atomic
def move_in(number: int, *, seed: int, at: datetime) -> Customer:
    """Make an account on Free, of a customer whose whole life the seed decides."""
    run = uuid4().hex[:12]
    account = Account.objects.create(name=f"Customer {number} of run {run}")
    owner = User.objects.create_user(f"customer{number}.{run}@simulation.example")
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    subscribing.push_terms(account.pk, at=at)
    chance = Random(f"{seed}:{number}")  # noqa: S311 - to be repeated, not guessed
    return Customer(account, owner, chance)


def run_jobs(one: Customer, at: datetime) -> None:
    """Make some films, each charged when it is done."""
    for _ in range(one.chance.randint(1, 4)):
        lines = _film(one, at)
        ledger.spend(_job(one, lines), at=at)


def run_held_job(one: Customer, at: datetime) -> None:
    """Make a film whose credits are reserved first; some fail, some are canceled."""
    quoted, made = _film(one, at), _film(one, at)
    held = ledger.hold(
        wallet_id=_wallet_id(one),
        credits=sum(line.credits for line in quoted),
        rate_version=quoted[0].rate_version,
        idempotency_key=one.key(),
        actor="simulation",
        at=at,
    )
    key = one.key()
    end = one.chance.choice(("done", "failed", "canceled", "forgotten"))
    if end == "done":
        ledger.capture(
            hold_id=held.hold_id,
            lines=made,
            idempotency_key=key,
            actor="simulation",
            at=at,
            absorbs_excess=True,
        )
    elif end != "forgotten":
        ledger.release(
            hold_id=held.hold_id,
            is_our_failure=end == "failed",
            idempotency_key=key,
            actor="simulation",
            at=at,
        )


def change_plan(one: Customer, at: datetime) -> None:
    """Move to another plan, whichever it is; a new one is paid on Stripe's page."""
    yearly = one.chance.random() < _YEARLY
    interval = Interval.YEAR if yearly else Interval.MONTH
    change = _change(one, one.chance.choice(_PLANS), interval, at)
    if change.kind == ChangeKind.SUBSCRIBE and change.checkout_url:
        _pay(one, change.checkout_url)
        if one.chance.random() < _IN_A_HURRY:  # back on our page before the webhook
            arranging.look(change, at=now())


def cancel(one: Customer, at: datetime) -> None:
    """Go back to Free when the term ends."""
    subscription = _paying(one)
    _change(one, subscribing.FREE, Interval(subscription.interval), at)


def think_again(one: Customer, at: datetime) -> None:
    """Take back whatever was to happen when the term ends."""
    change = changing.scheduled_change(one.account.pk)
    if not change:
        raise _NothingToDo
    arranging.take_back(change, at=at)


def buy_blocks(one: Customer, at: datetime) -> None:
    """Buy blocks, as far as the plan sells them; some never pay."""
    purchase = purchasing.buy_blocks(
        account=one.account,
        buyer=one.owner,
        offer=catalogue.blocks_in_force(at=at),
        blocks=one.chance.randint(1, 5),
        form_key=one.key(),
        at=at,
    )
    if one.chance.random() < _IN_A_HURRY:
        _pay(one, purchase.checkout_url)
        settling.settle(session_id=purchase.stripe_session_id or "", at=at)


def lose_card(one: Customer, _: datetime) -> None:
    """Let the card of the plan fail from now on."""
    _replace_card(one, sandbox.FAILING_METHOD)


def renew_card(one: Customer, at: datetime) -> None:
    """Give the plan a good card, and pay what is open with it."""
    _replace_card(one, sandbox.GOOD_METHOD)
    ours = Invoice.objects.filter(account=one.account, status=InvoiceStatus.OPEN)
    for open_bill in ours:
        bill = invoice(open_bill.stripe_invoice_id)
        sandbox.pay(bill.hosted_url, email=one.owner.email, name=one.account.name)


_Actions = dict[Callable[[Customer, datetime], None], int]

_ON_FREE: _Actions = {change_plan: 6, run_jobs: 1, buy_blocks: 1}
_ON_A_PLAN: _Actions = {
    run_jobs: 35,
    run_held_job: 20,
    change_plan: 20,
    buy_blocks: 10,
    cancel: 5,
    think_again: 4,
    lose_card: 3,
    renew_card: 3,
}


def _film(one: Customer, at: datetime) -> tuple[ledger.UsedLine, ...]:
    feature = one.chance.choice(("avatar-iv", "avatar-iii", "translation"))
    length = JobLine(feature, 1_000 * one.chance.randint(1, _LONGEST_FILM_S))
    return quoting.quote(lines=[length], rate_plan=quoting.STANDARD, at=at).lines


def _job(one: Customer, lines: tuple[ledger.UsedLine, ...]) -> ledger.Spend:
    return ledger.Spend(
        wallet_id=_wallet_id(one),
        lines=lines,
        idempotency_key=one.key(),
        actor="simulation",
        member_id=one.owner.pk,
        member=one.owner.email,
    )


def _change(one: Customer, code: str, interval: Interval, at: datetime) -> PlanChange:
    wanted = previewing.target(code, interval, at=at)
    token = previewing.issue(previewing.preview(one.account.pk, wanted, at=at))
    shown = arranging.shown_again(token, account=one.account, at=at)
    request = Request(user=one.owner, form_key=one.key())
    return arranging.make(shown, request, account=one.account, at=at)


def _pay(one: Customer, page_url: str) -> None:
    declined = one.chance.random() > _IN_A_HURRY
    card = sandbox.DECLINED_CARD if declined else sandbox.GOOD_CARD
    sandbox.pay(page_url, email=one.owner.email, name=one.account.name, card=card)


def _replace_card(one: Customer, method: str) -> None:
    sandbox.replace_card(_paying(one).stripe_subscription_id or "", by=method)


def _paying(one: Customer) -> Subscription:
    subscription = subscribing.live_subscription(one.account.pk)
    if not subscription:
        raise _NothingToDo
    return subscription


def _wallet_id(one: Customer) -> int:
    return Wallet.objects.get(account=one.account, unit=WalletUnit.CREDITS).pk
