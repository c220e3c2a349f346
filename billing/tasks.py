"""Background work: each task only makes happen sooner what the sweeper would find."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog
from celery import shared_task

from billing import bulk_adjusting, card_expiry, making_good, stripe_gateway
from billing.changes import arranging
from billing.console import queue
from billing.exporting import asking
from billing.exporting import running as exports
from billing.finance import closing
from billing.models import ReloadTrigger
from billing.outgoing import facts, sending
from billing.plans import drafts as plan_drafts
from billing.plans import free_video_terms, renewing
from billing.reconciling import running
from billing.refunds import paying_debts, refunding
from billing.reloads import charging, reloading
from billing.subscriptions import chasing
from billing.subscriptions import notices as plan_notices
from billing.webhooks import inbox
from config.clock import now, real_now
from credits.chunks import BUDGET, work_off

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = structlog.get_logger(__name__)

_AT_ONCE, _FIRST_CHUNK = 200, 50


@shared_task(name="billing.tasks.sweep")
def sweep(**_: object) -> None:
    """Work off what is overdue: objects to look at, purchases, plans to look after."""
    at = now()
    for subject_id in inbox.due_subjects(limit=_AT_ONCE, at=at):
        _unharmed(partial(inbox.look_at, subject_id, at=now()))
    _sweep_plans(at)
    _sweep_money(at)
    _price_offers()
    plan_notices.tell_renewals(limit=_AT_ONCE, at=at)
    card_expiry.tell_expiring(limit=_AT_ONCE, at=at)


@shared_task(name="billing.tasks.reload")
def reload(*, account_id: int, **_: object) -> None:
    """Consider a card charge for an account whose credits just fell, and make it."""
    _reload_if_short(account_id)


@shared_task(name="billing.tasks.charge")
def charge(*, reload_id: int, **_: object) -> None:
    """Make a charge that was decided on."""
    _unharmed(partial(charging.charge, reload_id=reload_id, at=now()))


@shared_task(name="billing.tasks.grant_cycles")
def grant_cycles(**_: object) -> None:
    """Grant the paid months that have begun, with their original dates (R13)."""
    if granted := work_off(renewing.grant_due_cycles, _FIRST_CHUNK):
        log.info("cycles_granted", cycles=granted)


@shared_task(name="billing.tasks.tell_free_videos")
def tell_free_videos(**_: object) -> None:
    """Let a later offer of free videos reach the accounts that are on Free (R106)."""
    work_off(free_video_terms.tell_free_videos, _FIRST_CHUNK)


@shared_task(name="billing.tasks.carry_out_batches")
def carry_out_batches(**_: object) -> None:
    """Make what files of adjustments say, and incidents good, that were agreed to."""
    work_off(bulk_adjusting.carry_out, _FIRST_CHUNK)
    work_off(making_good.give_back, _FIRST_CHUNK)


@shared_task(name="billing.tasks.reconcile")
def reconcile(**_: object) -> None:
    """Compare our books with Stripe's, hourly or when somebody has asked for it."""
    _unharmed(partial(running.run_due, at=now()))


@shared_task(name="billing.tasks.bring_what_was_paid")
def bring_what_was_paid(**_: object) -> None:
    """Look again at payments of late that have brought no credits (R55)."""
    _unharmed(partial(running.bring_what_was_paid, at=now()))


@shared_task(name="billing.tasks.tidy_work_queue")
def tidy_work_queue(**_: object) -> None:
    """Close what staff need not look at any more: missing rates that came (R97)."""
    queue.close_what_has_rates(at=now())


@shared_task(name="billing.tasks.send_webhooks")
def send_webhooks(**_: object) -> None:
    """Send the product's backend what it has to be told."""
    started_at = real_now()
    facts.tell_used_up(limit=_AT_ONCE, at=now())
    while real_now() - started_at < BUDGET:
        if not sending.send_next(at=now(), signed_at=real_now()):
            break


@shared_task(name="billing.tasks.export")
def export(*, export_id: int, **_: object) -> None:
    """Make the file that somebody has just asked for."""
    exports.run(export_id=export_id, clock=now)


@shared_task(name="billing.tasks.look_after_exports")
def look_after_exports(**_: object) -> None:
    """Delete files whose time is over; make what nobody makes, or no longer."""
    _unharmed(partial(asking.delete_expired, limit=_AT_ONCE, at=now()))
    for export_id in exports.due_exports(limit=_AT_ONCE, at=now()):
        _unharmed(partial(exports.run, export_id=export_id, clock=now))


@shared_task(name="billing.tasks.seal_months")
def seal_months(**_: object) -> None:
    """Seal the closed months for which nothing can be in flight any more (R93)."""
    for closed in closing.due_months(at=now()):
        _unharmed(partial(closing.seal, closed, at=now()))


@shared_task(name="billing.tasks.look_at")
def look_at(*, subject_id: int, **_: object) -> None:
    """Look at an object of Stripe's that an event just told of."""
    inbox.look_at(subject_id, at=now())


def _sweep_plans(at: datetime) -> None:
    for change_id in arranging.due_changes(limit=_AT_ONCE, at=at):
        look_after_change = arranging.look_after_change
        _unharmed(partial(look_after_change, change_id=change_id, at=now()))
    for subscription_id in chasing.due_subscriptions(limit=_AT_ONCE, at=at):
        look_after = chasing.look_after_subscription
        _unharmed(partial(look_after, subscription_id=subscription_id, at=now()))


def _price_offers() -> None:
    for draft in plan_drafts.to_price(limit=_AT_ONCE):
        _unharmed(partial(plan_drafts.price, draft, at=now()))


def _sweep_money(at: datetime) -> None:
    for purchase_id in chasing.due_purchases(limit=_AT_ONCE, at=at):
        _unharmed(partial(chasing.look_after, purchase_id=purchase_id, at=now()))
    for refund_id in refunding.due_refunds(limit=_AT_ONCE, at=at):
        _unharmed(partial(refunding.look_after, refund_id=refund_id, at=now()))
    for payment_id in paying_debts.due_payments(limit=_AT_ONCE, at=at):
        look_after_debt = paying_debts.look_after
        _unharmed(partial(look_after_debt, payment_id=payment_id, at=now()))
    for dispute_id in chasing.due_disputes(limit=_AT_ONCE, at=at):
        look_after_dispute = chasing.look_after_dispute
        _unharmed(partial(look_after_dispute, dispute_id=dispute_id, at=now()))
    for account_id in reloading.short_accounts(limit=_AT_ONCE):
        _unharmed(partial(_reload_if_short, account_id))
    for reload_id in charging.due_reloads(limit=_AT_ONCE, at=at):
        _unharmed(partial(charging.charge, reload_id=reload_id, at=now()))


def _reload_if_short(account_id: int) -> None:
    considered = reloading.consider(
        account_id=account_id, trigger=ReloadTrigger.THRESHOLD, at=now()
    )
    if considered and considered.reload_id:
        charge(reload_id=considered.reload_id)


def _unharmed(step: Callable[[], object]) -> None:
    """Take a step of many; its failure is logged and harms no other."""
    try:
        step()
    except stripe_gateway.StripeUnavailable as unavailable:
        log.warning("stripe_unavailable", error=str(unavailable))
    except Exception:  # the row is due again later; the others are due now
        log.exception("sweep_step_failed")
