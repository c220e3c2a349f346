"""Auto-reload: from credits that run short to a charge that came, or its reason.

`consider` decides and commits an intent, or a skip with its reason; one intent is in
flight an account, by a row (R47). `charge` then asks Stripe outside any transaction,
under a key made of that row and its attempt, and `follow` records the answer, whoever
brings it: the charge itself, a webhook, or the sweeper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import IntegrityError, transaction

from accounts import auditing
from accounts.prepared import fetch
from billing import reload_states
from billing.core import reload_policy as policy
from billing.core.reload_policy import SkipReason
from billing.models import (
    AutoReload,
    Purchase,
    PurchaseOrigin,
    Reload,
    ReloadSkip,
    ReloadTrigger,
)
from billing.reloads import figures as reload_figures
from billing.reloads import notices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from billing.core.reload_policy import Decision, Enough, Skip
    from billing.reloads.figures import Situation

_CAPS = (SkipReason.CAP_MONEY, SkipReason.CAP_COUNT)


@dataclass(frozen=True, slots=True)
class Considered:
    """What was decided, and the reload that was begun for it, if one was."""

    decision: Decision
    reload_id: int | None = None


@transaction.atomic(durable=True)
def consider(
    *, account_id: int, trigger: ReloadTrigger, at: datetime, needed: int = 0
) -> Considered | None:
    """Decide whether a card is to be charged now, and record the intent or the reason.

    `needed` is what a job that was refused costs. None: auto-reload is off. Whoever
    calls it goes on with `charging.charge` for the reload that was begun.

    Source: docs/rules.md R45 to R50.
    """
    auto = reload_states.locked(account_id)
    if auto is None or not auto.is_on:
        return None
    situation = reload_figures.situation_of(account_id, at=at, needed=needed)
    situation = _suspended(situation, auto)
    AutoReload.objects.filter(pk=auto.pk).update(looked_at=at)
    decision = policy.decide(situation.figures, auto.limits, situation.block)
    match decision:
        case policy.Enough():
            return Considered(decision)
        case policy.Skip():
            return Considered(_skip(auto, situation, decision))
        case policy.Reload(blocks=blocks):
            begun = _begin(auto, situation, trigger, blocks=blocks)
    if begun is None:
        return Considered(_skip(auto, situation, policy.Skip(SkipReason.PENDING)))
    return Considered(decision, begun.pk)


def hindrance(
    reload: Reload, auto: AutoReload, *, at: datetime
) -> Enough | Skip | None:
    """Return why a reload that was begun is not to be charged (any more), if so.

    Call it under the locks. A skip is recorded.
    """
    situation = reload_figures.situation_of(
        auto.account_id, at=at, needed=reload.needed, besides=reload
    )
    situation = _suspended(situation, auto)
    found = policy.may_go_on(
        situation.figures,
        auto.limits,
        situation.block,
        blocks=reload.purchase.blocks_asked,
    )
    if isinstance(found, policy.Skip):
        _record_skip(auto, situation, found)
    return found


def answer_to(*, account_id: int, needed: int, at: datetime) -> Considered | None:
    """Decide about a job that was just refused; None: auto-reload is off (R45)."""
    if not AutoReload.objects.filter(account_id=account_id, is_on=True).exists():
        return None
    if _is_known_to_wait(account_id):
        return Considered(policy.Skip(SkipReason.PENDING))
    return consider(
        account_id=account_id, trigger=ReloadTrigger.REFUSED_JOB, needed=needed, at=at
    )


def short_accounts(*, limit: int) -> list[int]:
    """Return accounts whose credits are below their threshold, longest unseen first."""
    found = AutoReload.objects.raw(_SHORT, [limit])
    return [auto.account_id for auto in found]


def short_of(available: Mapping[int, int]) -> list[int]:
    """Return the accounts whose fall to so many credits is worth a closer look.

    One indexed read: it runs after every job.
    """
    rows = fetch(_SHORT_OF, [list(available), list(available.values())])
    return [row.account_id for row in rows]


def _is_known_to_wait(account_id: int) -> bool:
    """Whether a reload is under way that a job was refused for before."""
    pending = reload_states.in_flight(account_id)
    told = ReloadSkip.objects.filter(
        account_id=account_id, reason=SkipReason.PENDING, situation=_of(pending)
    )
    return pending is not None and told.exists()


_SHORT_OF = """
    SELECT auto.account_id
    FROM unnest(%s::bigint[], %s::bigint[]) AS fell (account_id, available)
    JOIN billing_autoreload AS auto ON auto.account_id = fell.account_id
    WHERE auto.is_on AND auto.suspended_at IS NULL
        AND auto.threshold > fell.available
        AND NOT EXISTS (
            SELECT FROM billing_reload AS reload
            WHERE reload.account_id = auto.account_id AND reload.state
                IN ('CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION')
        )
"""
_SHORT = """
    SELECT auto.id, auto.account_id
    FROM billing_autoreload AS auto
    JOIN credits_wallet AS wallet
        ON wallet.account_id = auto.account_id AND wallet.unit = 'CREDITS'
    WHERE auto.is_on AND auto.suspended_at IS NULL
        AND wallet.balance - wallet.held - wallet.frozen < auto.threshold
        AND NOT EXISTS (
            SELECT FROM billing_reload AS reload
            WHERE reload.account_id = auto.account_id AND reload.state
                IN ('CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION')
        )
    ORDER BY auto.looked_at NULLS FIRST
    LIMIT %s
"""


def _suspended(situation: Situation, auto: AutoReload) -> Situation:
    is_suspended = auto.suspended_at is not None
    figures = replace(situation.figures, is_suspended=is_suspended)
    return replace(situation, figures=figures)


def _begin(
    auto: AutoReload, situation: Situation, trigger: ReloadTrigger, *, blocks: int
) -> Reload | None:
    """Record the intent; None: one is in flight, and the index refuses another."""
    try:
        with transaction.atomic():
            purchase = _intended(auto, situation, blocks)
            reload = Reload.objects.create(
                account=auto.account,
                purchase=purchase,
                trigger=trigger,
                available=situation.figures.available,
                threshold=auto.threshold,
                needed=situation.figures.needed,
                stripe_payment_method_id=auto.stripe_payment_method_id,
                card_fingerprint=auto.card_fingerprint,
                card_last4=auto.card_last4,
                next_attempt_at=situation.figures.at,
                began_at=situation.figures.at,
            )
    except IntegrityError:
        return None
    auditing.record(
        action="auto_reload.started",
        actor="auto-reload",
        account=auto.account,
        target=purchase.public_id,
        after={"blocks": blocks, "available": reload.available},
        reason=str(ReloadTrigger(trigger).label),
        at=reload.began_at,
    )
    return reload


def _intended(auto: AutoReload, situation: Situation, blocks: int) -> Purchase:
    return Purchase.objects.create(
        account=auto.account,
        buyer=auto.consent.user,
        offer=situation.offer,
        origin=PurchaseOrigin.RELOAD,
        form_key=f"reload:{uuid4().hex}",
        blocks_asked=blocks,
        currency=situation.offer.currency,
        opened_at=situation.figures.at,
    )


def _skip(auto: AutoReload, situation: Situation, skip: Skip) -> Skip:
    # What is under way explains more than any cap that it has used up.
    pending = reload_states.in_flight(auto.account_id)
    if pending:
        skip = policy.Skip(SkipReason.PENDING)
    _record_skip(auto, situation, skip, about=_of(pending))
    return skip


def _of(pending: Reload | None) -> str:
    return f"reload {pending.pk}" if pending else ""


def _record_skip(
    auto: AutoReload, situation: Situation, skip: Skip, *, about: str = ""
) -> None:
    """Write down a charge that was not made: once for each reason and situation."""
    figures, month = situation.figures, situation.month
    recorded = ReloadSkip(
        account=auto.account,
        reason=skip.reason,
        situation=about or _about(skip, auto, situation),
        available=figures.available,
        threshold=auto.threshold,
        needed=figures.needed,
        month_cents=figures.month.cents,
        month_count=figures.month.count,
        skipped_at=figures.at,
    )
    ReloadSkip.objects.bulk_create([recorded], ignore_conflicts=True)
    if skip.reason in _CAPS and month:
        notices.tell_cap(
            auto,
            percent=notices.ALL_OF_IT,
            month=month,
            so_far=figures.month,
            at=figures.at,
        )


def _about(skip: Skip, auto: AutoReload, situation: Situation) -> str:
    """Return what makes it another skip than the one before for the same reason."""
    figures, month = situation.figures, situation.month
    last = figures.reloaded_at[0] if figures.reloaded_at else None
    match skip.reason:
        case SkipReason.COOL_OFF | SkipReason.NOTHING_USED:
            return f"after {last}"
        case SkipReason.PLAN_ENDING:
            return f"end {figures.plan_ends_at}"
        case SkipReason.SUSPENDED:
            return f"since {auto.suspended_at}"
        case SkipReason.NEEDS_MORE:
            return f"{figures.needed} at {figures.at:%Y-%m-%d}"
        case _:
            beginning = month.starts_at if month else figures.at
            return f"month {beginning:%Y-%m-%d}, settings {auto.version}"
