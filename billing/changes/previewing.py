"""What a change of plan would do: shown before, and recomputed when it is confirmed.

The preview is made by the code that the change itself uses, to one instant of
proration: what was shown is what happens, or it is shown again (R37).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import stripe_gateway
from billing.core.periods import Span
from billing.core.proration import Unspent, upgrade_credits
from billing.core.transitions import Family, Move, Offer, When, transition
from billing.models import Interval
from billing.plans import catalogue, returning, subscribing
from billing.plans.subscribing import Standing

if TYPE_CHECKING:
    from billing.core.transitions import Transition
    from billing.models import PlanVersion, Subscription
    from billing.stripe_gateway import StripeLine


VALID_FOR = timedelta(minutes=10)

_SIGNER = Signer(salt="billing.plan-change")


class Reason(StrEnum):
    """Why a plan cannot be had now."""

    NO_SUCH_MOVE = "NO_SUCH_MOVE"
    NOTHING_CHANGES = "NOTHING_CHANGES"
    NOT_SOLD = "NOT_SOLD"
    OVERDUE = "OVERDUE"
    RENEWING = "RENEWING"
    ENDING = "ENDING"
    NOT_AT_STRIPE = "NOT_AT_STRIPE"


_OVERDUE = (
    Reason.OVERDUE,
    "R38",
    gettext_lazy("A payment for your plan is overdue. Pay it first, then change it."),
)
_OBSTACLES = {
    Standing.OVERDUE: _OVERDUE,
    Standing.BLOCKED: _OVERDUE,
    Standing.RENEWING: (
        Reason.RENEWING,
        "R5",
        gettext_lazy("Your plan is renewing just now. Try again in an hour or two."),
    ),
    Standing.ENDING: (
        Reason.ENDING,
        "R59",
        gettext_lazy("Your plan is going to end. Keep it first, then change it."),
    ),
    Standing.OVER: (
        Reason.ENDING,
        "R58",
        gettext_lazy("Your plan has just ended. Try again in a moment."),
    ),
}


class ChangeRefused(stripe_gateway.BillingError):
    """The change cannot be made: which rule says so, and what can be done (R107)."""

    def __init__(self, reason: Reason, *, rule: str, sentence: str) -> None:
        """Remember the reason, its rule, and the sentence for the customer."""
        super().__init__(sentence)
        self.reason, self.rule = reason, rule


@dataclass(frozen=True, slots=True)
class Target:
    """The plan that an account is to be on, and how often it is paid.

    `at_once` asks for now where a legacy plan could be kept until its term ends (R34).
    """

    version: PlanVersion
    interval: Interval
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """All that a change does. Cents; `credits_now` come with the payment (R22).

    `takes_effect_at` is `prorated_at` for what happens at once. `renewal_cents` is
    the price of each further term, before tax. `returned` is what the month gives back
    of what is unspent of it; None: it gives back its time, or nothing (R30).
    """

    account_id: int
    subscription: Subscription | None
    old: PlanVersion
    target: Target
    move: Move
    when: When
    rule: str
    prorated_at: datetime
    takes_effect_at: datetime
    currency: str
    due_cents: int
    lines: tuple[StripeLine, ...]
    credits_now: int
    returned: Unspent | None
    renewal_cents: int

    @property
    def hash(self) -> str:
        """Return a digest of what is shown: another one means another offer."""
        subscription_id = self.subscription.pk if self.subscription else None
        shown = [
            *(self.account_id, subscription_id, self.old.pk, self.target.version.pk),
            *(self.target.interval, self.move, self.when, self.prorated_at.isoformat()),
            *(self.takes_effect_at.isoformat(), self.currency, self.due_cents),
            *(self.credits_now, self.returned, self.renewal_cents),
            *((line.description, line.net_cents) for line in self.lines),
        ]
        return sha256(repr(shown).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form hands back of the preview that it showed."""

    plan_code: str
    interval: str
    at_once: bool
    prorated_at: datetime
    hash: str


class PreviewDiffers(stripe_gateway.BillingError):
    """What would happen is not what was shown, or was shown too long ago (R37)."""

    def __init__(self, now: Preview) -> None:
        """Remember what is to be shown instead."""
        super().__init__(_("Something changed since. Look at it again."))
        self.now = now


def again(account_id: int, shown: Shown, *, at: datetime) -> Preview:
    """Return what was shown, computed anew to the same instant.

    Raises:
        PreviewDiffers: it is something else by now.
        ChangeRefused: it cannot be had any more.
        StripeUnavailable: ask again.

    Source: docs/rules.md R37.
    """
    wanted = target(shown.plan_code, shown.interval, at_once=shown.at_once, at=at)
    if not timedelta() <= at - shown.prorated_at < VALID_FOR:
        raise PreviewDiffers(preview(account_id, wanted, at=at))
    same = preview(account_id, wanted, at=shown.prorated_at)
    if same.hash != shown.hash:
        raise PreviewDiffers(preview(account_id, wanted, at=at))
    return same


def issue(previewed: Preview) -> str:
    """Return a token by which a form hands back what it showed."""
    wanted = previewed.target
    content = {
        "account": previewed.account_id,
        "plan": wanted.version.plan.code,
        "interval": wanted.interval,
        "at_once": wanted.at_once,
        "at": previewed.prorated_at.isoformat(),
        "hash": previewed.hash,
    }
    return _SIGNER.sign_object(content)


def read(token: str, *, account_id: int) -> Shown:
    """Return what a form showed.

    Raises:
        ChangeRefused: nothing of the kind was shown to this account.
    """
    try:
        content = _SIGNER.unsign_object(token)
    except BadSignature as forged:
        raise _not_sold() from forged
    if content["account"] != account_id:
        raise _not_sold()
    return Shown(
        plan_code=content["plan"],
        interval=content["interval"],
        at_once=content["at_once"],
        prorated_at=datetime.fromisoformat(content["at"]),
        hash=content["hash"],
    )


def target(
    plan_code: str, interval: str, *, at_once: bool = False, at: datetime
) -> Target:
    """Return a plan that is sold, at one of its intervals.

    Raises:
        ChangeRefused: it is not.
    """
    try:
        version = catalogue.plan_in_force(plan_code, at=at)
        wanted = Target(version, Interval(interval), at_once)
    except (catalogue.NothingOffered, ValueError) as unknown:
        raise _not_sold() from unknown
    if version.plan.family == Family.LEGACY:
        raise _never_again()
    is_free = version.plan.family == Family.FREE
    if not is_free and term_cents(wanted) is None:
        raise _not_sold()
    return wanted


def preview(account_id: int, wanted: Target, *, at: datetime) -> Preview:
    """Return what changing to a plan at `at` does; ask Stripe where money moves now.

    Raises:
        ChangeRefused: it cannot be had from where the account stands.
        StripeUnavailable: ask again.

    Source: docs/rules.md R21, R22, R26 to R34, R38.
    """
    at = at.replace(microsecond=0)  # Stripe prorates to the second.
    subscription = subscribing.live_subscription(account_id)
    old = subscribing.version_of(subscription, at=at)
    row = _transition(subscription, old, wanted)
    # R38: canceling is always allowed.
    against = obstacle(subscription, at=at)
    if against and row.move is not Move.CANCEL:
        raise against
    is_legacy = old.plan.family == Family.LEGACY
    if subscription and not subscription.stripe_subscription_id and not is_legacy:
        raise _not_at_stripe()
    when = _when(subscription, row, at=at)
    bill = _bill(subscription, wanted, row, at) if when is When.NOW else None
    return Preview(
        account_id=account_id,
        subscription=subscription,
        old=old,
        target=wanted,
        move=row.move,
        when=when,
        rule=row.rule,
        prorated_at=at,
        takes_effect_at=_takes_effect_at(subscription, when, at),
        currency=wanted.version.currency,
        due_cents=bill.due_cents if bill else 0,
        lines=bill.lines if bill else (),
        credits_now=_credits_now(subscription, wanted, row, at),
        returned=_returned(subscription, wanted, row, at),
        renewal_cents=term_cents(wanted) or 0,
    )


def obstacle(
    subscription: Subscription | None, *, at: datetime
) -> ChangeRefused | None:
    """Return what stands against any change but canceling; None: nothing does.

    Source: docs/rules.md R5, R38, R59.
    """
    standing = subscribing.standing(subscription, at=at)
    # R35: whether a legacy plan renews is told by the import, or never.
    is_legacy = subscription and subscription.plan_version.plan.family == Family.LEGACY
    if is_legacy and standing is Standing.RENEWING:
        return None
    found = _OBSTACLES.get(standing)
    if found:
        reason, rule, sentence = found
        return ChangeRefused(reason, rule=rule, sentence=str(sentence))
    return None


def term_cents(wanted: Target) -> int | None:
    """Return the price of a term before tax; None: it is not sold at this interval."""
    version = wanted.version
    if wanted.interval is Interval.YEAR:
        return version.year_cents
    return version.month_cents


def _transition(
    subscription: Subscription | None, old: PlanVersion, wanted: Target
) -> Transition:
    interval = Interval(subscription.interval) if subscription else wanted.interval
    now, then = _offer(Target(old, interval)), _offer(wanted)
    row = transition(now, then)
    if row:
        return row
    # Also in another version of it: one comes to that by a migration alone (R36).
    if (old.plan_id, interval) == (wanted.version.plan_id, wanted.interval):
        raise ChangeRefused(
            Reason.NOTHING_CHANGES, rule="R25", sentence=_("This is your plan already.")
        )
    raise _never_again()


def _offer(wanted: Target) -> Offer:
    return Offer(
        family=Family(wanted.version.plan.family),
        credits=wanted.version.cycle_credits,
        cents=term_cents(wanted) or 0,
        is_yearly=wanted.interval is Interval.YEAR,
        is_wanted_now=wanted.at_once,
    )


def _when(subscription: Subscription | None, row: Transition, *, at: datetime) -> When:
    # What is not paid for has ended already: there is no term to wait for (R38).
    is_unpaid = subscribing.standing(subscription, at=at) in {
        Standing.OVERDUE,
        Standing.BLOCKED,
    }
    return When.NOW if row.move is Move.CANCEL and is_unpaid else row.when


def _bill(
    subscription: Subscription | None, wanted: Target, row: Transition, at: datetime
) -> stripe_gateway.Bill | None:
    if row.move is not Move.UPGRADE or subscription is None:
        due_cents = term_cents(wanted) or 0
        return stripe_gateway.Bill(wanted.version.currency, due_cents, due_cents, ())
    returned = _returned(subscription, wanted, row, at)
    return stripe_gateway.preview_move(_price_move(subscription, wanted, returned, at))


def _returned(
    subscription: Subscription | None, wanted: Target, row: Transition, at: datetime
) -> Unspent | None:
    if subscription is None or not settings.RETURN_UNSPENT_SHARE:
        return None
    begins_a_year = (
        row.move is Move.UPGRADE and subscription.interval != wanted.interval
    )
    return returning.unspent_of(subscription, at=at) if begins_a_year else None


def _price_move(
    subscription: Subscription, wanted: Target, returned: Unspent | None, at: datetime
) -> stripe_gateway.PriceMove:
    fetched = stripe_gateway.subscription(subscription.stripe_subscription_id or "")
    return stripe_gateway.PriceMove(
        subscription_id=fetched.id,
        item_id=fetched.item_id,
        price_id=stripe_gateway.price_id(wanted.version.lookup_key(wanted.interval)),
        prorated_at=at,
        given_back=returning.line_of(
            returned.cents if returned else None,
            customer_id=fetched.customer_id,
            currency=wanted.version.currency,
        ),
    )


def _takes_effect_at(
    subscription: Subscription | None, when: When, at: datetime
) -> datetime:
    if when is When.NOW or subscription is None:
        return at
    return max(subscription.paid_until or at, at)


def _credits_now(
    subscription: Subscription | None, wanted: Target, row: Transition, at: datetime
) -> int:
    if row.move is not Move.UPGRADE or subscription is None:
        return 0
    cycle = subscribing.current_cycle(subscription, at=at)
    # A longer interval begins a term of its own, which brings its own credits (R30).
    if cycle is None or subscription.interval != wanted.interval:
        return 0
    whole = Span(cycle.starts_at, cycle.ends_at)
    return upgrade_credits(
        old_credits=subscription.plan_version.cycle_credits,
        new_credits=wanted.version.cycle_credits,
        cycle=whole,
        at=whole.starts_at if settings.WHOLE_UPGRADE_CREDITS else at,
    )


def _never_again() -> ChangeRefused:
    return ChangeRefused(
        Reason.NO_SUCH_MOVE,
        rule="R34",
        sentence=_(
            "Legacy plans are not sold any more: nobody can move to one. Choose one of"
            " the plans that are."
        ),
    )


def _not_sold() -> ChangeRefused:
    return ChangeRefused(
        Reason.NOT_SOLD,
        rule="R107",
        sentence=_("This plan is not sold. Choose another one."),
    )


def _not_at_stripe() -> ChangeRefused:
    return ChangeRefused(
        Reason.NOT_AT_STRIPE,
        rule="R34",
        sentence=_(
            "This plan is looked after by our support. Write to us to change it."
        ),
    )
