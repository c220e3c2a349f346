"""The past of the demo, lived through in the sandbox as customers would have lived it.

Both clocks are set back, and then moved forward to the present by the time machine:
plans are paid on Stripe's page and renew, so that Stripe and the portal tell one story.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.models import Role
from billing import portal_clock, time_machine
from billing.changes import arranging, previewing
from billing.changes.changing import Request
from billing.core.periods import cycle, cycle_index
from billing.models import Interval
from billing.plans import catalogue
from billing.purchases import purchasing, settling
from billing.stripe_gateway import sandbox
from config.demo.accounts import HARBOR, QUIET, midnight, work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from accounts.models import Account, User
    from config.demo.accounts import DemoAccount

    Life = tuple[DemoAccount, Account]

# Plans begin in the morning, before anybody works; Stripe charges an hour later.
_MORNING, _CHARGED_AFTER = timedelta(hours=6), timedelta(hours=2)
_STRIDE = timedelta(days=7)
_MAIL = ("accounts.tasks.send_due_notices",)
_BOUGHT_AGO, _BLOCKS = timedelta(days=2), 4


def live_through(lives: Sequence[Life], *, at: datetime) -> None:
    """Live through all months of the accounts up to `at`, which is the present.

    Raises:
        StripeUnavailable: the sandbox does not answer.
    """
    # Legacy plans are not at Stripe.
    on_plans = [(one, account) for one, account in lives if one.plan and not one.packs]
    today = midnight(at)
    first = today - max(one.began for one, _ in on_plans)
    time_machine.depart(first)
    for day in _days(first, today):
        for one, account in on_plans:
            _begin_or_renew(one, account, day, today=today)
        if day < at - QUIET:
            for one, account in on_plans:
                if today - one.began <= day:
                    work(one, account, day=day)
    bought_at = at - _BOUGHT_AGO
    _travel(bought_at)
    [harbor] = [account for one, account in lives if one is HARBOR]
    _buy_blocks(harbor, at=bought_at)
    _travel(at)
    portal_clock.put_right()


def _days(first: datetime, last: datetime) -> Iterator[datetime]:
    for number in range((last - first).days):
        yield first + timedelta(days=number)


def _begin_or_renew(
    described: DemoAccount, account: Account, day: datetime, *, today: datetime
) -> None:
    began = today - described.began + _MORNING
    morning = day + _MORNING
    if morning < began:
        return
    if morning == began:
        _travel(morning)
        _subscribe(described, account, at=morning)
    elif cycle(began, cycle_index(began, morning)).starts_at == morning:
        _travel(morning + _CHARGED_AFTER)


def _subscribe(described: DemoAccount, account: Account, *, at: datetime) -> None:
    wanted = previewing.target(described.plan, Interval.MONTH, at=at)
    shown = previewing.preview(account.pk, wanted, at=at)
    owner = _owner(account)
    change = arranging.make(
        shown, Request(owner, form_key="demo"), account=account, at=at
    )
    sandbox.pay(change.checkout_url, email=owner.email, name=owner.name)
    # Paying took a moment: by the sandbox's clock the plan has begun after `at`.
    _travel(at + _CHARGED_AFTER)


def _buy_blocks(account: Account, *, at: datetime) -> None:
    buyer = _owner(account)
    purchase = purchasing.buy_blocks(
        account=account,
        buyer=buyer,
        offer=catalogue.blocks_in_force(at=at),
        blocks=_BLOCKS,
        form_key="demo",
        at=at,
    )
    sandbox.pay(purchase.checkout_url, email=buyer.email, name=buyer.name)
    paid_at = at + timedelta(minutes=1)
    settling.settle(session_id=purchase.stripe_session_id or "", at=paid_at)


def _owner(account: Account) -> User:
    return account.memberships.get(role=Role.OWNER).user


def _travel(to: datetime) -> None:
    # Nobody is to be told anew of what is long past.
    time_machine.travel(to=to, stride=_STRIDE, without=_MAIL)
