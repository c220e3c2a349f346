"""The overview: what an account has, what it is made of, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.templatetags.units import calendar_day, plural_credits
from billing.changes import changing, previewing
from billing.changes.previewing import Target
from billing.core.shares import percents
from billing.models import Interval
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from billing.purchases import purchasing
from credits import forecasting, ledger, statements
from credits.models import GrantSource, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from accounts.models import Account
    from billing.models import PlanChange, PlanVersion, Subscription
    from billing.purchases.purchasing import WhyNot
    from credits.forecasting import Outlook
    from credits.ledger import FreeVideos
    from credits.models import Wallet
    from credits.statements import Balance, GrantView, StatementRow

_SOON = timedelta(days=7)
_ROWS = 5
_LOW_PERCENT = 10
_TONES = {
    GrantSource.PLAN: "plan",
    GrantSource.UPGRADE: "plan",
    GrantSource.PURCHASE: "purchased",
    GrantSource.RELOAD: "purchased",
    GrantSource.PACK: "purchased",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the balance, as one piece of the bar and one line under it."""

    label: str
    credits: int
    percent: int
    tone: str
    note: str
    is_soon: bool = False


@dataclass(frozen=True, slots=True)
class PlanCard:
    """The plan in a few words; without a subscription only its name.

    `usable_until` is when its credits can no longer be used unless something is paid;
    `cents` is the price of the next term, `renews_as` its plan if that is another one.
    """

    name: str
    interval: str
    cycle_credits: int
    cents: int
    currency: str
    renews_at: datetime | None
    renews_as: str
    next_credits_at: datetime | None
    ends_at: datetime | None
    paid_until: datetime | None
    usable_until: datetime | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the overview page shows, in the unit that the account uses.

    `premium` is what is left of a legacy plan by somebody who uses credits now.
    """

    unit: str
    balance: Balance
    premium: Balance | None
    parts: tuple[Part, ...]
    outlooks: tuple[Outlook, ...]
    plan: PlanCard
    rows: tuple[StatementRow, ...]
    why_not: WhyNot | None
    free_videos: FreeVideos | None
    is_low: bool
    is_new: bool


def overview_of(account: Account, *, time_zone: str, at: datetime) -> Overview:
    """Return the overview of an account, with dates of the viewer's zone in its notes.

    Raises:
        NothingOffered: it is on Free, and no Free plan is in force.
    """
    wallet, *others = statements.wallets_of(account.pk)
    balance = statements.balance_of(wallet.pk, at=at)
    page = statements.statement_for(wallet.pk, limit=_ROWS, at=at)
    subscription = subscribing.live_subscription(account.pk)
    plan = plan_card(subscription, at=at)
    return Overview(
        unit=wallet.get_unit_display(),
        balance=balance,
        premium=_premium(others, at=at),
        parts=_parts(balance, time_zone=time_zone, at=at),
        outlooks=forecasting.outlooks_of(wallet.pk, balance, at=at),
        plan=plan,
        rows=page.rows,
        why_not=purchasing.why_not(subscription, at=at),
        free_videos=_free_videos([wallet, *others], at=at),
        is_low=balance.available * 100 < plan.cycle_credits * _LOW_PERCENT,
        is_new=len(page.rows) <= 1,
    )


def _premium(others: Sequence[Wallet], *, at: datetime) -> Balance | None:
    found = [wallet for wallet in others if wallet.unit == WalletUnit.PREMIUM]
    return statements.balance_of(found[0].pk, at=at) if found else None


def _free_videos(wallets: Sequence[Wallet], *, at: datetime) -> FreeVideos | None:
    [credits] = [each for each in wallets if each.unit == WalletUnit.CREDITS]
    return ledger.free_videos(wallet_id=credits.pk, at=at)


def plan_card(subscription: Subscription | None, *, at: datetime) -> PlanCard:
    """Return what a plan is, costs, and when it renews; Free without a subscription.

    Raises:
        NothingOffered: it is Free, and no Free plan is in force.
    """
    version = subscribing.version_of(subscription, at=at)
    coming = _next_term(subscription, version)
    standing = subscribing.standing(subscription, at=at)
    paid_until = subscription.paid_until if subscription else None
    return PlanCard(
        name=version.plan.name,
        interval=subscription.get_interval_display() if subscription else "",
        cycle_credits=version.cycle_credits,
        cents=previewing.term_cents(coming) or 0,
        currency=version.currency,
        renews_at=paid_until if standing is Standing.ACTIVE else None,
        renews_as=coming.version.plan.name
        if coming.version.plan_id != version.plan_id
        else "",
        next_credits_at=_next_credits_at(subscription, standing, at=at),
        ends_at=subscription.cancel_at if subscription else None,
        paid_until=paid_until,
        usable_until=subscribing.spends_until(subscription) if subscription else None,
        standing=standing,
    )


def _next_term(subscription: Subscription | None, version: PlanVersion) -> Target:
    """Return what the next term is of: another plan if one is scheduled (R26)."""
    if subscription is None:
        return Target(version, Interval.MONTH)
    scheduled = changing.scheduled_change(subscription.account_id)
    if scheduled and _comes_with_the_next_term(scheduled, subscription):
        return Target(scheduled.to_version, Interval(scheduled.to_interval))
    return Target(version, Interval(subscription.interval))


def _comes_with_the_next_term(scheduled: PlanChange, running: Subscription) -> bool:
    # A new price may come some terms later (R36), and a cancellation brings none.
    return scheduled.kind in changing.BY_SCHEDULE and (
        scheduled.takes_effect_at == running.paid_until
    )


def _next_credits_at(
    subscription: Subscription | None, standing: Standing, *, at: datetime
) -> datetime | None:
    """Return when the next month begins, if there will be one."""
    if subscription is None or standing not in {Standing.ACTIVE, Standing.ENDING}:
        return None
    cycle = subscribing.current_cycle(subscription, at=at)
    if cycle is None or subscribing.is_over(subscription, at=cycle.ends_at):
        return None
    return cycle.ends_at


def _parts(balance: Balance, *, time_zone: str, at: datetime) -> tuple[Part, ...]:
    pieces = [
        *_usable(balance.grants, time_zone, at),
        (_("Held for running jobs"), balance.held, "held", "", False),
        (_("Frozen"), balance.frozen, "frozen", "", False),
    ]
    shown = [piece for piece in pieces if piece[1] > 0]
    return tuple(
        Part(label, credits, percent, tone, note, is_soon)
        for (label, credits, tone, note, is_soon), percent in zip(
            shown, percents([piece[1] for piece in shown]), strict=True
        )
    )


def _usable(
    grants: Sequence[GrantView], time_zone: str, at: datetime
) -> Iterator[tuple[str, int, str, str, bool]]:
    """Yield the usable credits of each kind; grants come in the order of use."""
    labels = {
        "rollover": _("Rolled over"),
        "plan": _("This cycle"),
        "promo": _("Granted"),
        "purchased": _("Purchased"),
    }
    for tone, label in labels.items():
        ours = [grant for grant in grants if _tone(grant) == tone and grant.usable]
        ends = [grant.expires_at for grant in ours if grant.expires_at]
        yield (
            label,
            sum(grant.usable for grant in ours),
            tone,
            _expiry_note(ours, time_zone),
            bool(ends) and min(ends) - at <= _SOON,
        )


def _tone(grant: GrantView) -> str:
    return "rollover" if grant.is_rolled_over else _TONES.get(grant.source, "promo")


def _expiry_note(grants: Sequence[GrantView], time_zone: str) -> str:
    if not grants or grants[0].expires_at is None:
        return _("no expiry") if grants else ""
    first = grants[0].expires_at
    ending = sum(grant.usable for grant in grants if grant.expires_at == first)
    day = calendar_day(first, time_zone)
    if ending == sum(grant.usable for grant in grants):
        return _("until %(day)s") % {"day": day}
    amount = plural_credits(ending)
    return _("%(amount)s until %(day)s") % {"amount": amount, "day": day}
