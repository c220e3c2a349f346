"""Background work: each task only makes happen sooner what the sweeper would find."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog
from celery import shared_task

from billing import arranging, chasing, plan_notices, renewing, stripe_gateway
from billing.webhooks import inbox
from config.clock import now
from credits.chunks import work_off

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

_AT_ONCE, _FIRST_CHUNK = 200, 50


@shared_task(name="billing.tasks.sweep")
def sweep(**_: object) -> None:
    """Work off what is overdue: objects to look at, purchases, plans to look after."""
    at = now()
    for subject_id in inbox.due_subjects(limit=_AT_ONCE, at=at):
        _unharmed(partial(inbox.look_at, subject_id, at=now()))
    for purchase_id in chasing.due_purchases(limit=_AT_ONCE, at=at):
        _unharmed(partial(chasing.look_after, purchase_id=purchase_id, at=now()))
    for change_id in arranging.due_changes(limit=_AT_ONCE, at=at):
        look_after_change = arranging.look_after_change
        _unharmed(partial(look_after_change, change_id=change_id, at=now()))
    for subscription_id in chasing.due_subscriptions(limit=_AT_ONCE, at=at):
        look_after = chasing.look_after_subscription
        _unharmed(partial(look_after, subscription_id=subscription_id, at=now()))
    plan_notices.tell_renewals(limit=_AT_ONCE, at=at)


@shared_task(name="billing.tasks.grant_cycles")
def grant_cycles(**_: object) -> None:
    """Grant the paid months that have begun, with their original dates (R13)."""
    if granted := work_off(renewing.grant_due_cycles, _FIRST_CHUNK):
        log.info("cycles_granted", cycles=granted)


@shared_task(name="billing.tasks.look_at")
def look_at(*, subject_id: int, **_: object) -> None:
    """Look at an object of Stripe's that an event just told of."""
    inbox.look_at(subject_id, at=now())


def _unharmed(step: Callable[[], None]) -> None:
    """Take a step of many; its failure is logged and harms no other."""
    try:
        step()
    except stripe_gateway.StripeUnavailable as unavailable:
        log.warning("stripe_unavailable", error=str(unavailable))
    except Exception:  # the row is due again later; the others are due now
        log.exception("sweep_step_failed")
