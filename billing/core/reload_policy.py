"""Whether auto-reload charges a card now, how many blocks, and when to try again.

The one place that decides (R45 to R54): pages, triggers, retries and the rehearsal all
ask here. Credits and cents are whole numbers; cents include tax.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

COOL_OFF = timedelta(seconds=60)
BURST, MOST_IN_BURST = timedelta(minutes=10), 3
STOPS_BEFORE_END = timedelta(days=3)
BILL_IS_COMING_FOR = timedelta(hours=2)
ACTION_LASTS = timedelta(hours=24)
NOTICES_AT_PERCENT = (80, 90, 100)
_PAUSES = (timedelta(hours=1), timedelta(hours=24))


class SkipReason(StrEnum):
    """Why no card is charged although credits are short."""

    PENDING = "PENDING"  # R47
    NOT_SOLD = "NOT_SOLD"  # R42
    PAST_DUE = "PAST_DUE"  # R54
    FROZEN = "FROZEN"  # R54
    DEBT = "DEBT"  # R79
    PLAN_ENDING = "PLAN_ENDING"  # R53
    BILL_COMING = "BILL_COMING"  # R45
    SUSPENDED = "SUSPENDED"  # R51, R52
    COOL_OFF = "COOL_OFF"  # R49
    NOTHING_USED = "NOTHING_USED"  # R49
    CAP_MONEY = "CAP_MONEY"  # R50
    CAP_COUNT = "CAP_COUNT"  # R50
    LARGEST_CHARGE = "LARGEST_CHARGE"  # R48
    NEEDS_MORE = "NEEDS_MORE"  # R48


class Decline(StrEnum):
    """What a bank's refusal means for the next attempt (R51, R52)."""

    SOFT = "SOFT"
    UNKNOWN = "UNKNOWN"
    HARD = "HARD"
    ACTION = "ACTION"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the customer agreed to: below how many credits, how much, how often."""

    threshold: int
    blocks: int
    largest_charge_cents: int
    monthly_cap_cents: int
    monthly_cap_count: int


@dataclass(frozen=True, slots=True)
class Block:
    """What is sold: credits in a block, its cents, and how many go into an order."""

    credits: int
    cents: int
    most: int


@dataclass(frozen=True, slots=True)
class Month:
    """What reloads of the running month have come to, those under way included."""

    cents: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """How an account stands at an instant.

    `needed` is what a job that was just refused costs. `reloaded_at` are the last
    reloads, newest first; `has_used_since` whether a job drew credits after them.
    """

    at: datetime
    available: int
    month: Month = Month()
    needed: int = 0
    reloaded_at: tuple[datetime, ...] = ()
    has_used_since: bool = True
    sells_blocks: bool = True
    is_paid: bool = True
    is_frozen: bool = False
    debt: int = 0
    plan_ends_at: datetime | None = None
    is_bill_coming: bool = False
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Enough:
    """Nothing is short."""


@dataclass(frozen=True, slots=True)
class Skip:
    """No charge, for a reason. `until` is when that ends by itself, if it is known."""

    reason: SkipReason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reload:
    """One charge for so many blocks."""

    blocks: int


Decision = Enough | Skip | Reload


def decide(figures: Figures, limits: Limits, block: Block) -> Decision:
    """Return what is to be done at an instant.

    Source: docs/rules.md R42, R45 to R50, R53, R54, R79.
    """
    if not is_short(figures, limits):
        return Enough()
    if skip := _hindrance(figures) or _too_soon(figures) or _used_up(figures, limits):
        return skip
    return _sized(figures, limits, block)


def may_go_on(
    figures: Figures, limits: Limits, block: Block, *, blocks: int
) -> Enough | Skip | None:
    """Return why a reload that was begun is not to be charged (any more), if so.

    What was begun need not wait again, but everything else still has to hold.
    """
    if not is_short(figures, limits):
        return Enough()
    if skip := _hindrance(figures) or _used_up(figures, limits):
        return skip
    if blocks * block.cents > _rest_cents(figures, limits):
        return Skip(SkipReason.CAP_MONEY)
    if blocks * block.cents > limits.largest_charge_cents:
        return Skip(SkipReason.LARGEST_CHARGE)
    return None


def is_short(figures: Figures, limits: Limits) -> bool:
    """Whether less is available than the threshold, or than a refused job needs."""
    return figures.available < max(limits.threshold, figures.needed)


def most_cents(limits: Limits, block: Block, month: Month) -> int:
    """Return the most that can still be charged in a month: what consent warns of."""
    largest = min(limits.largest_charge_cents, block.most * block.cents)
    each = largest // block.cents * block.cents
    left = max(limits.monthly_cap_count - month.count, 0)
    rest = max(limits.monthly_cap_cents - month.cents, 0) // block.cents * block.cents
    return min(left * each, rest)


def notice_due(limits: Limits, *, before: Month, after: Month) -> int | None:
    """Return the highest part of a cap in % that a reload has just reached (R50)."""
    was, now = _percent(limits, before), _percent(limits, after)
    reached = [part for part in NOTICES_AT_PERCENT if was < part <= now]
    return max(reached, default=None)


def classify(*, decline_code: str, advice_code: str) -> Decline:
    """Return what a decline means; the network's advice counts more than the code.

    Source: docs/rules.md R51, R52; https://docs.stripe.com/declines/codes
    """
    if decline_code == "authentication_required":
        return Decline.ACTION
    if decline_code in _HARD or advice_code in {
        "do_not_try_again",
        "confirm_card_data",
    }:
        return Decline.HARD
    if decline_code in _SOFT or advice_code == "try_again_later":
        return Decline.SOFT
    return Decline.UNKNOWN


def pause_after(declines: int, meaning: Decline) -> timedelta | None:
    """Return how long to wait after so many declines; None: stop until it is mended.

    Source: docs/rules.md R51.
    """
    retries = {Decline.SOFT: 2, Decline.UNKNOWN: 1}.get(meaning, 0)
    return _PAUSES[declines - 1] if declines <= retries else None


def _hindrance(figures: Figures) -> Skip | None:
    """Return what forbids any charge, whatever it would come to."""
    ends_at, at = figures.plan_ends_at, figures.at
    is_ending = ends_at is not None and ends_at - STOPS_BEFORE_END <= at
    hindrances = {
        SkipReason.NOT_SOLD: not figures.sells_blocks,
        # Before the plan's own state: a disputed plan counts as not paid (R85).
        SkipReason.FROZEN: figures.is_frozen,
        SkipReason.PAST_DUE: not figures.is_paid,
        SkipReason.DEBT: figures.debt > 0,
        SkipReason.PLAN_ENDING: is_ending,
        SkipReason.BILL_COMING: figures.is_bill_coming,
        SkipReason.SUSPENDED: figures.is_suspended,
    }
    return next((Skip(why) for why, is_so in hindrances.items() if is_so), None)


def _too_soon(figures: Figures) -> Skip | None:
    """Return what forbids another charge so soon after the last ones (R49)."""
    if not figures.reloaded_at:
        return None
    at, last = figures.at, figures.reloaded_at[0]
    if at < last + COOL_OFF:
        return Skip(SkipReason.COOL_OFF, last + COOL_OFF)
    in_burst = [one for one in figures.reloaded_at if at < one + BURST]
    if len(in_burst) >= MOST_IN_BURST:
        return Skip(SkipReason.COOL_OFF, in_burst[MOST_IN_BURST - 1] + BURST)
    # A job that was refused is as good as one that drew: without it nobody is waiting.
    if not figures.has_used_since and not figures.needed:
        return Skip(SkipReason.NOTHING_USED)
    return None


def _used_up(figures: Figures, limits: Limits) -> Skip | None:
    is_used_up = figures.month.count >= limits.monthly_cap_count
    return Skip(SkipReason.CAP_COUNT) if is_used_up else None


def _sized(figures: Figures, limits: Limits, block: Block) -> Decision:
    """Return the charge: as many blocks as are wanted, as far as limits allow (R48)."""
    by_consent = min(limits.largest_charge_cents // block.cents, block.most)
    by_cap = _rest_cents(figures, limits) // block.cents
    most = min(by_consent, by_cap)
    if most < 1:
        is_cap = by_cap < 1
        return Skip(SkipReason.CAP_MONEY if is_cap else SkipReason.LARGEST_CHARGE)
    if figures.available + most * block.credits < figures.needed:
        return Skip(SkipReason.NEEDS_MORE)
    gap = figures.needed + limits.threshold - figures.available
    return Reload(min(max(limits.blocks, -(-gap // block.credits)), most))


def _rest_cents(figures: Figures, limits: Limits) -> int:
    return max(limits.monthly_cap_cents - figures.month.cents, 0)


def _percent(limits: Limits, month: Month) -> int:
    return max(
        100 * month.cents // limits.monthly_cap_cents,
        100 * month.count // limits.monthly_cap_count,
    )


_HARD = frozenset({
    "account_closed", "card_not_supported", "card_removed", "currency_not_supported",
    "expired_card", "fraudulent", "highest_risk_level", "incorrect_number",
    "invalid_account", "invalid_number", "lost_card", "merchant_blacklist",
    "pickup_card", "restricted_card", "revocation_of_all_authorizations",
    "revocation_of_authorization", "security_violation", "stolen_card",
    "stop_payment_order", "transaction_not_allowed",
})  # fmt: skip
_SOFT = frozenset({
    "card_velocity_exceeded", "insufficient_funds", "issuer_not_available",
    "processing_error", "reenter_transaction", "try_again_later",
    "withdrawal_count_limit_exceeded",
})  # fmt: skip
