"""An account on one page: its plan, its credits, what it paid, who belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing import reload_states
from billing.console import naming
from billing.console.flags import flags_of
from billing.models import AutoReload, Customer, Subscription
from billing.plans import subscribing
from billing.refunds import debts
from credits import statements
from credits.models import CreditGrant, Freeze, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import Account, Membership
    from billing.console.finding import Match
    from billing.console.flags import Flag
    from billing.models import Invoice, Purchase, Reload
    from billing.plans.subscribing import Standing
    from billing.refunds.debts import Owed
    from credits.models import SpendingBlock
    from credits.statements import Balance, GrantView


@dataclass(frozen=True, slots=True)
class Row:
    """An account among those that were found."""

    account: Account
    why: tuple[str, ...]
    plan: str
    available: int
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Lot:
    """An open grant, and why it is frozen, if it is."""

    grant: GrantView
    frozen_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pot:
    """A wallet of an account: its figures, and its open grants in the order of use."""

    wallet: Wallet
    balance: Balance
    lots: tuple[Lot, ...]
    block: SpendingBlock | None

    @property
    def is_premium(self) -> bool:
        """Whether it counts the credits of a legacy plan."""
        return self.wallet.unit == WalletUnit.PREMIUM


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as staff see it; purchases and bills are the newest first."""

    account: Account
    flags: tuple[Flag, ...]
    subscription: Subscription | None
    standing: Standing
    pots: tuple[Pot, ...]
    owed: Owed | None
    auto_reload: AutoReload | None
    reload: Reload | None
    purchases: tuple[Purchase, ...]
    invoices: tuple[Invoice, ...]
    members: tuple[Membership, ...]
    customer_id: str
    subscription_url: str


def account_view(account: Account, *, limit: int, at: datetime) -> AccountView:
    """Return what staff are shown of an account."""
    subscription = subscribing.live_subscription(account.pk)
    stripe_id = subscription.stripe_subscription_id if subscription else None
    customer = Customer.objects.filter(account=account).first()
    pots = _pots(account, at=at)
    bought = account.purchases.select_related("offer").order_by("-opened_at", "-pk")
    auto_reload = AutoReload.objects.filter(account=account).first()
    return AccountView(
        account=account,
        flags=flags_of([account.pk], at=at)[account.pk],
        subscription=subscription,
        standing=subscribing.standing(subscription, at=at),
        pots=pots,
        owed=debts.owed_by(account.pk)
        if any(pot.balance.debt for pot in pots)
        else None,
        auto_reload=auto_reload,
        reload=reload_states.in_flight(account.pk) if auto_reload else None,
        purchases=tuple(bought[:limit]),
        invoices=tuple(account.invoices.order_by("-created_at", "-pk")[:limit]),
        members=tuple(account.memberships.select_related("user").order_by("pk")),
        customer_id=customer.stripe_customer_id if customer else "",
        subscription_url=naming.inbox_url(stripe_id) if stripe_id else "",
    )


def rows_of(matches: Sequence[Match], *, at: datetime) -> list[Row]:
    """Return accounts that were found, with what tells them apart: a few queries."""
    ids = [one.account.pk for one in matches]
    flags = flags_of(ids, at=at)
    live = Subscription.objects.filter(account_id__in=ids, ended_at=None)
    plans = {
        one.account_id: one.plan_version.plan.name
        for one in live.select_related("plan_version__plan")
    }
    wallets = Wallet.objects.filter(account_id__in=ids, unit=WalletUnit.CREDITS)
    available = {
        wallet.account_id: statements.up_to_date(wallet, at=at).available
        for wallet in wallets
    }
    return [
        Row(
            account=one.account,
            why=one.why,
            plan=plans.get(one.account.pk, _("Free")),
            available=available.get(one.account.pk, 0),
            flags=flags[one.account.pk],
        )
        for one in matches
    ]


def _pots(account: Account, *, at: datetime) -> tuple[Pot, ...]:
    return tuple(
        _pot(wallet, at=at)
        for wallet in statements.wallets_of(account.pk)
        if wallet.unit == WalletUnit.CREDITS or wallet.seq
    )


def _pot(wallet: Wallet, *, at: datetime) -> Pot:
    balance = statements.balance_of(wallet.pk, at=at)
    frozen = CreditGrant.objects.filter(
        pk__in=[grant.id for grant in balance.grants if grant.is_frozen]
    )
    why = {
        grant.pk: tuple(str(Freeze(one).label) for one in grant.frozen_for)
        for grant in frozen
    }
    lots = tuple(Lot(grant, why.get(grant.id, ())) for grant in balance.grants)
    return Pot(wallet, balance, lots, block=wallet.block_at(at))
