"""How an account stands with its auto-reload: the figures to decide by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from billing.core.periods import Span, cycle, cycle_index
from billing.core.reload_policy import (
    BILL_IS_COMING_FOR,
    MOST_IN_BURST,
    Block,
    Figures,
    Month,
)
from billing.models import (
    IN_FLIGHT,
    Dispute,
    DisputeStatus,
    Invoice,
    InvoiceStatus,
    Purchase,
    PurchaseOrigin,
    Reload,
)
from billing.plans import catalogue, subscribing
from credits import ledger, statements
from credits.models import (
    CreditGrant,
    EntryKind,
    Freeze,
    LedgerEntry,
    Wallet,
)

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from billing.models import BlockOffer, Subscription

# Stripe finalizes a bill about an hour after it was made.
_DRAFT_LASTS = timedelta(hours=1)
_IN_DOUBT = (Freeze.DISPUTE, Freeze.FRAUD_WARNING, Freeze.PAUSE)
_DRAWS = (EntryKind.SPEND, EntryKind.HOLD)


@dataclass(frozen=True, slots=True)
class Situation:
    """The figures of an account, and the month and block that they are about."""

    figures: Figures
    block: Block
    offer: BlockOffer
    month: Span | None


def situation_of(
    account_id: int, *, at: datetime, needed: int = 0, besides: Reload | None = None
) -> Situation:
    """Return how an account stands, as if a reload (`besides`) had not been begun."""
    subscription = subscribing.live_subscription(account_id)
    month = month_of(subscription, at=at)
    wallet = wallet_of(account_id, at=at)
    pending = Reload.objects.filter(account_id=account_id, state__in=IN_FLIGHT)
    if besides:
        pending = pending.exclude(pk=besides.pk)
    reloaded = _reloaded(account_id)
    figures = Figures(
        at=at,
        available=wallet.available,
        needed=needed,
        month=_spent_in(month, pending, account_id),
        reloaded_at=tuple(one.paid_at for one in reloaded if one.paid_at),
        has_used_since=not reloaded or _has_used_since(wallet, reloaded[0]),
        debt=wallet.debt,
        is_frozen=_is_frozen(wallet),
        sells_blocks=_sells_blocks(subscription, at),
        is_paid=subscription is not None and subscribing.is_paid(subscription),
        plan_ends_at=subscribing.plan_end(subscription) if subscription else None,
        is_bill_coming=subscription is not None and _is_bill_coming(subscription, at),
    )
    offer = catalogue.blocks_in_force(at=at)
    return Situation(figures, block_of(offer), offer, month)


def wallet_of(account_id: int, *, at: datetime) -> Wallet:
    """Return the account's wallet of credits with everything expired that is due."""
    wallet_id = ledger.open_wallet(account_id=account_id, at=at)
    return statements.up_to_date(Wallet.objects.get(pk=wallet_id), at=at)


def block_of(offer: BlockOffer) -> Block:
    """Return what the policy has to know of an offer."""
    return Block(credits=offer.credits, cents=offer.cents, most=offer.max_blocks)


def month_of(subscription: Subscription | None, *, at: datetime) -> Span | None:
    """Return the month that caps count in: by the plan's anchor (R13, R50)."""
    if subscription is None:
        return None
    anchor_at = subscription.anchor_at
    return cycle(anchor_at, cycle_index(anchor_at, at))


def spent_in(account_id: int, month: Span | None) -> Month:
    """Return what reloads have come to in a month, with those that are under way."""
    pending = Reload.objects.filter(account_id=account_id, state__in=IN_FLIGHT)
    return _spent_in(month, pending, account_id)


def _sells_blocks(subscription: Subscription | None, at: datetime) -> bool:
    if subscription is None or subscribing.is_over(subscription, at=at):
        return False
    return subscription.plan_version.sells_blocks


def _spent_in(month: Span | None, pending: QuerySet[Reload], account_id: int) -> Month:
    if month is None:
        return Month()
    # What was given back counts all the same: the card was charged.
    paid = Purchase.objects.filter(
        account_id=account_id,
        origin=PurchaseOrigin.RELOAD,
        paid_at__gte=month.starts_at,
        paid_at__lt=month.ends_at,
    )
    charged = [cents or 0 for cents in paid.values_list("paid_cents", flat=True)]
    asked = [
        reload.purchase.blocks_asked * reload.purchase.offer.cents
        for reload in pending.select_related("purchase__offer")
    ]
    return Month(cents=sum(charged) + sum(asked), count=len(charged) + len(asked))


def _reloaded(account_id: int) -> list[Purchase]:
    """Return the last purchases of auto-reload that were paid, newest first."""
    paid = Purchase.objects.filter(
        account_id=account_id, origin=PurchaseOrigin.RELOAD, paid_at__isnull=False
    )
    return list(paid.order_by("-paid_at", "-pk")[:MOST_IN_BURST])


def _has_used_since(wallet: Wallet, reloaded: Purchase) -> bool:
    """Whether a job has drawn credits after those of a reload came (R49)."""
    entries = LedgerEntry.objects.filter(wallet=wallet)
    came = entries.filter(idempotency_key=reloaded.source_key).first()
    since = entries.filter(kind__in=_DRAWS, seq__gt=came.seq if came else 0)
    return since.exists()


def _is_frozen(wallet: Wallet) -> bool:
    """Whether a payment is in dispute or in doubt, or the plan is paused (R54)."""
    frozen = CreditGrant.objects.filter(
        wallet=wallet, is_open=True, frozen_for__overlap=list(_IN_DOUBT)
    )
    # Of a disputed payment nothing may be left to freeze.
    disputed = Dispute.objects.filter(
        account_id=wallet.account_id,
        status__in=[DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW],
    )
    return frozen.exists() or disputed.exists()


def _is_bill_coming(subscription: Subscription, at: datetime) -> bool:
    """Whether the credits of a term that has begun are about to be paid for (R45)."""
    if (subscription.paid_until or at) > at:
        return False
    bill = (
        Invoice.objects.filter(subscription=subscription, reason="subscription_cycle")
        .exclude(status__in=[InvoiceStatus.PAID, InvoiceStatus.VOID])
        .order_by("-created_at")
        .first()
    )
    if bill is None or bill.status == InvoiceStatus.DRAFT:
        return True
    return at < bill.created_at + _DRAFT_LASTS + BILL_IS_COMING_FOR
