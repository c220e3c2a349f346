"""The auto-reload page: what is set, what it may cost, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags.units import money, plural_credits
from billing import reload_states
from billing.core import reload_policy as policy
from billing.core.reload_policy import SkipReason
from billing.models import (
    AutoReload,
    Reload,
    ReloadSkip,
    ReloadState,
    ReloadTrigger,
    Suspension,
)
from billing.plans import subscribing
from billing.reloads import confirming, figures, rehearsing

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from billing.core.reload_policy import Limits
    from billing.reloads.rehearsing import Rehearsal
    from billing.stripe_gateway import SavedCard

# Raise it with every change of the words below.
CONSENT_VERSION = "reload-1"
_ROWS = 30

REASONS = {
    SkipReason.PENDING: gettext_lazy("Another reload was under way."),
    SkipReason.NOT_SOLD: gettext_lazy("The plan sells no blocks."),
    SkipReason.PAST_DUE: gettext_lazy("A payment for the plan is missing."),
    SkipReason.FROZEN: gettext_lazy("A payment is in dispute or in doubt."),
    SkipReason.DEBT: gettext_lazy("Credits are owed."),
    SkipReason.PLAN_ENDING: gettext_lazy("The plan ends within three days."),
    SkipReason.BILL_COMING: gettext_lazy("The credits of the new cycle are coming."),
    SkipReason.SUSPENDED: gettext_lazy("Auto-reload waits for another card."),
    SkipReason.COOL_OFF: gettext_lazy("The last reload was only just made."),
    SkipReason.NOTHING_USED: gettext_lazy("Nothing was used since the last reload."),
    SkipReason.CAP_MONEY: gettext_lazy("The monthly limit of money is reached."),
    SkipReason.CAP_COUNT: gettext_lazy("The monthly number of charges is reached."),
    SkipReason.LARGEST_CHARGE: gettext_lazy("A block costs more than one charge may."),
    SkipReason.NEEDS_MORE: gettext_lazy("A job needs more than one charge may buy."),
}
_ALSO_CANCELED_BECAUSE = {
    "OFF": gettext_lazy("Auto-reload was turned off."),
    "NEW_CARD": gettext_lazy("Another card was chosen."),
    "ENOUGH": gettext_lazy("There were enough credits again."),
}
_LEVELS = {
    ReloadState.PAID: "success",
    ReloadState.FAILED: "danger",
    ReloadState.CANCELED: "neutral",
    ReloadState.NEEDS_ACTION: "warning",
    ReloadState.WAITING: "warning",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """A charge or a skip, as one row with its reason."""

    at: datetime
    level: str
    label: str
    why: str
    available: int
    cents: int | None
    currency: str
    purchase: str


@dataclass(frozen=True, slots=True)
class ReloadNotice:
    """What auto-reload waits for: a purchase to confirm, or another card; or nothing.

    `paused` is why it is.
    """

    confirm: str = ""
    paused: str = ""
    last4: str = ""


@dataclass(frozen=True, slots=True)
class ReloadPage:
    """Where auto-reload stands. Cents are of the running cycle month, tax included."""

    auto: AutoReload | None
    is_on: bool
    notice: ReloadNotice
    pending: str
    month_cents: int
    month_count: int
    most_cents: int
    month_ends_at: datetime | None
    currency: str
    history: tuple[Happening, ...]

    @property
    def version(self) -> int:
        """Return what a form has to send along (R56)."""
        return self.auto.version if self.auto else 0


@dataclass(frozen=True, slots=True)
class Review:
    """What settings would mean, said before they are saved.

    `now_cents` is charged at once, None if nothing is (R46).
    """

    text: str
    most_cents: int
    now_cents: int | None
    now_credits: int
    month_ends_at: datetime | None
    currency: str
    rehearsal: Rehearsal | None


def reload_page(account: Account, *, at: datetime) -> ReloadPage:
    """Return how an account's auto-reload stands."""
    auto = AutoReload.objects.filter(account=account).first()
    situation = figures.situation_of(account.pk, at=at)
    month = situation.figures.month
    pending = reload_states.in_flight(account.pk)
    most = policy.most_cents(auto.limits, situation.block, month) if auto else 0
    return ReloadPage(
        auto=auto,
        is_on=auto is not None and auto.is_on,
        notice=reload_notice(account, at=at),
        pending=str(ReloadState(pending.state).label) if pending else "",
        month_cents=month.cents,
        month_count=month.count,
        most_cents=most,
        month_ends_at=situation.month.ends_at if situation.month else None,
        currency=settings.CURRENCY,
        history=_history(account),
    )


def reload_notice(account: Account, *, at: datetime) -> ReloadNotice:
    """Return what auto-reload waits for; an account without it costs one query."""
    auto = AutoReload.objects.filter(account=account, is_on=True).first()
    if auto is None:
        return ReloadNotice()
    return ReloadNotice(
        confirm=_to_confirm(reload_states.in_flight(account.pk), at),
        paused=str(Suspension(auto.suspension).label) if auto.suspended_at else "",
        last4=auto.card_last4,
    )


def review(
    account: Account, limits: Limits, card: SavedCard, *, at: datetime
) -> Review:
    """Return what settings would mean: by the policy that charges, on real figures."""
    auto = AutoReload.objects.filter(account=account).first()
    situation = figures.situation_of(account.pk, at=at)
    block, month = situation.block, situation.month
    is_still_refused = auto is not None and (
        auto.suspended_at is not None and auto.failed_fingerprint == card.fingerprint
    )
    decision = policy.decide(situation.figures, limits, block)
    blocks = decision.blocks if isinstance(decision, policy.Reload) else 0
    if is_still_refused:
        blocks = 0
    return Review(
        text=consent_text(limits, card, block_cents=block.cents),
        most_cents=policy.most_cents(limits, block, situation.figures.month),
        now_cents=blocks * block.cents or None,
        now_credits=blocks * block.credits,
        month_ends_at=month.ends_at if month else None,
        currency=settings.CURRENCY,
        rehearsal=_rehearsal(account, limits, at=at),
    )


def consent_text(limits: Limits, card: SavedCard, *, block_cents: int) -> str:
    """Return the words that are agreed to, with every figure that they depend on."""
    currency = settings.CURRENCY
    return _(
        "The card ending in %(last4)s may be charged whenever fewer than %(threshold)s"
        " are available: %(price)s each time, more when a job needs it or the balance"
        " is lower still, but at most %(largest)s at once, and at most %(cap)s and"
        " %(times)s charges in a cycle month, tax included. This holds until"
        " auto-reload is turned off, which is possible at any time."
    ) % {
        "last4": card.last4,
        "threshold": plural_credits(limits.threshold),
        "price": money(limits.blocks * block_cents, currency),
        "largest": money(limits.largest_charge_cents, currency),
        "cap": money(limits.monthly_cap_cents, currency),
        "times": limits.monthly_cap_count,
    }


def _rehearsal(account: Account, limits: Limits, *, at: datetime) -> Rehearsal | None:
    subscription = subscribing.live_subscription(account.pk)
    if subscription is None:
        return None
    return rehearsing.rehearse(
        figures.wallet_of(account.pk, at=at),
        limits=limits,
        block=figures.situation_of(account.pk, at=at).block,
        anchor_at=subscription.anchor_at,
        at=at,
    )


def _to_confirm(pending: Reload | None, at: datetime) -> str:
    """Return the purchase that waits for the bank's confirmation, if one does."""
    if pending is None or not confirming.can_be_confirmed(pending, at=at):
        return ""
    return pending.purchase.public_id


def _history(account: Account) -> tuple[Happening, ...]:
    reloads = account.reloads.select_related("purchase__offer").order_by("-began_at")
    skips = account.reload_skips.order_by("-skipped_at")
    rows = [
        *(_reload_row(reload) for reload in reloads[:_ROWS]),
        *(_skip_row(skip) for skip in skips[:_ROWS]),
    ]
    return tuple(sorted(rows, key=lambda row: row.at, reverse=True)[:_ROWS])


def _reload_row(reload: Reload) -> Happening:
    purchase, state = reload.purchase, ReloadState(reload.state)
    asked = purchase.blocks_asked * purchase.offer.cents
    return Happening(
        at=reload.began_at,
        level=_LEVELS.get(state, "info"),
        label=str(state.label),
        why=_why(reload),
        available=reload.available,
        cents=asked if purchase.paid_cents is None else purchase.paid_cents,
        currency=purchase.currency,
        purchase=purchase.public_id,
    )


def _why(reload: Reload) -> str:
    if reload.state == ReloadState.CANCELED:
        return _reason(reload.canceled_because)
    if reload.decline_code and reload.state != ReloadState.PAID:
        return _("The bank said: %(code)s.") % {"code": reload.decline_code}
    return str(ReloadTrigger(reload.trigger).label)


def _skip_row(skip: ReloadSkip) -> Happening:
    return Happening(
        at=skip.skipped_at,
        level="neutral",
        label=_("Not charged"),
        why=_reason(skip.reason),
        available=skip.available,
        cents=None,
        currency="",
        purchase="",
    )


def _reason(code: str) -> str:
    also = _ALSO_CANCELED_BECAUSE.get(code)
    return str(also or REASONS[SkipReason(code)])
