"""What follows when something happens in the apps below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Account
from accounts.sending import notice_given_up
from billing import tasks, work_items
from billing.core.reload_policy import Skip
from billing.models import WorkKind
from billing.outgoing import facts
from billing.plans import subscribing
from billing.reloads import reloading
from config.clock import now
from credits.signals import (
    balance_changed,
    balance_low,
    cost_absorbed,
    credits_granted,
    job_billed,
    job_unbilled,
    rate_missing,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from celery.app.task import Task

    from accounts.models import Notice
    from credits.models import Hold, Wallet
    from credits.settling import Unbilled


@receiver(post_save, sender=Account)
def tell_the_wallet(
    *,
    instance: Account,
    created: bool,
    raw: bool,
    update_fields: Collection[str] | None,
    **_: object,
) -> None:
    """Open the wallet of a new account; another country has other free videos."""
    has_moved = "country" in (update_fields or ())
    if (created or has_moved) and not raw:
        subscribing.push_terms(instance.pk, at=now())


@receiver(balance_changed)
def reload_what_ran_short(
    *, available: Mapping[int, int], needed: int, **_: object
) -> str | None:
    """Start an auto-reload when credits fell below its threshold, or a job needs more.

    To a job that was refused it says whether credits are coming (R45).
    """
    if needed:
        [account_id] = available
        return _help(account_id, needed)
    for account_id in reloading.short_of(available):
        _soon(tasks.reload, account_id=account_id)
    return None


@receiver(credits_granted)
def tell_of_credits(*, entry_ids: Sequence[int], at: datetime, **_: object) -> None:
    """Let the product's backend hear of credits that were added."""
    facts.tell_granted(entry_ids, at=at)


@receiver(balance_low)
def tell_of_low_balance(
    *,
    wallet: Wallet,
    available: int,
    threshold: int,
    key: str,
    at: datetime,
    **_: object,
) -> None:
    """Let the product's backend hear of a balance below a threshold."""
    facts.tell_low(wallet, available=available, threshold=threshold, key=key, at=at)


@receiver(rate_missing)
def queue_missing_rates(
    *, rate_plan: str, version: int | None, features: Sequence[str], **_: object
) -> None:
    """Let staff hear of features that have no rate (R97)."""
    for feature in features:
        work_items.note_missing_rate(
            rate_plan=rate_plan, version=version, feature=feature, at=now()
        )


@receiver(notice_given_up)
def queue_undelivered(*, notice: Notice, at: datetime, **_: object) -> None:
    """Let staff hear of an address that e-mails do not reach."""
    work_items.note_undelivered(notice, at=at)


@receiver(job_unbilled)
def queue_unbilled(
    *, hold: Hold, unbilled: Unbilled, at: datetime, **_: object
) -> None:
    """Let staff hear of a job that ran and could not be charged (R72)."""
    work_items.note_unbilled(hold, unbilled, at=at)


@receiver(job_billed)
def close_unbilled(*, hold: Hold, at: datetime, **_: object) -> None:
    """Close what was queued for a job that was charged after all."""
    outcome = "It was charged."
    work_items.close(WorkKind.UNBILLED_JOB, hold.public_id, outcome=outcome, at=at)


@receiver(cost_absorbed)
def queue_absorbed(
    *, hold: Hold, feature: str, credits: int, at: datetime, **_: object
) -> None:
    """Let staff hear of what jobs cost above their quotes (R71)."""
    work_items.note_absorbed(hold=hold, feature=feature, credits=credits, at=at)


def _help(account_id: int, needed: int) -> str | None:
    considered = reloading.answer_to(account_id=account_id, needed=needed, at=now())
    if considered is None:
        return None
    if considered.reload_id:
        _soon(tasks.charge, reload_id=considered.reload_id)
        return "started"
    decision = considered.decision
    return f"skipped ({decision.reason})" if isinstance(decision, Skip) else None


def _soon(task: Task[..., None], **row: int) -> None:
    def nudge() -> None:
        task.delay(**row)

    # Without a broker the sweeper does it.
    transaction.on_commit(nudge, robust=True)
