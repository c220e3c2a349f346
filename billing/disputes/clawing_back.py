"""Credits of a payment that the bank took back: taken too, or owed if they were used.

Source: docs/rules.md R78, R83.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing import payments
from billing.core.claims import ClawBack, Lot, back_of, claim_of, claw_back, owed_cents
from billing.payments import PaymentKind
from credits import ledger
from credits.models import EntryKind, GrantDraw, Wallet

if TYPE_CHECKING:
    from datetime import datetime

    from billing.models import Dispute
    from billing.payments import Payment

_USED = (EntryKind.SPEND, EntryKind.CAPTURE, EntryKind.REPAY)
_TAKEN = "The bank took the payment for these credits back."
_OWED = "Used before the bank took the payment back."
_BACK = "Given back since, and taken instead."


def take_back(dispute: Dispute, payment: Payment, *, at: datetime) -> bool:
    """Take what a lost dispute claims, as far as it can be; say whether more will come.

    What jobs hold is left to them. Call it again once they have settled, or when used
    credits were given back: what was taken and is owed before is written on the
    dispute, which the caller saves.
    """
    payment = _take_instead(dispute, payment, at)
    due = foresee(dispute, payment)
    _take(dispute, payment, due.take, at)
    _owe(dispute, payment, due.owe, at)
    return due.waits > 0


def foresee(dispute: Dispute, payment: Payment) -> ClawBack:
    """Return what losing a dispute takes now, beyond what it has taken (R83)."""
    lot = _lot(dispute, payment)
    claim = claim_of(
        lot, amount_cents=dispute.amount_cents, paid_cents=payment.paid_cents
    )
    # Months that had not begun never will (R85).
    claim -= min(claim, sum(cycle.credits for cycle in payment.to_come))
    return claw_back(lot, claim=claim)


def _lot(dispute: Dispute, payment: Payment) -> Lot:
    moved = _moved(payment)
    owed = _owed_for_refunds(payment)
    # What was paid for a debt is used: there was nothing else to buy with it (R79).
    used = payment.granted if payment.kind is PaymentKind.DEBT else 0
    return Lot(
        granted=payment.granted,
        free=sum(grant.remaining - grant.held for grant in payment.grants),
        held=sum(grant.held for grant in payment.grants),
        used=used - sum(moved.get(kind, 0) for kind in _USED) - owed,
        removed=owed - moved.get(EntryKind.REVOKE, 0) - dispute.removed_credits,
        taken=dispute.removed_credits,
        owed=dispute.debt_credits,
    )


def _owed_for_refunds(payment: Payment) -> int:
    """Return what was used and is owed already: its money went back before (R78)."""
    refunds = payments.standing_refunds(payment)
    return int(refunds.aggregate(owed=Sum("debt_credits", default=0))["owed"])


def _moved(payment: Payment) -> dict[str, int]:
    """Return what each kind of entry moved; what was given back counts as undone."""
    wallets = {grant.wallet_id for grant in payment.grants}
    # By the wallet's entries: draws have no index of their grants.
    draws = GrantDraw.objects.filter(
        entry__wallet__in=wallets, grant__in=payment.grants
    )
    kinds = draws.values(kind=Coalesce("entry__reverses__kind", "entry__kind"))
    return dict(kinds.annotate(total=Sum("credits")).values_list("kind", "total"))


def _take(dispute: Dispute, payment: Payment, credits: int, at: datetime) -> None:
    for grant in payment.grants:
        free = grant.remaining - grant.held
        taken = min(credits, free)
        if taken:
            ledger.revoke(
                grant_id=grant.pk,
                # All of it voids the grant, so that it shows as taken back.
                credits=None if taken == free else taken,
                idempotency_key=f"{dispute.key}:take:{dispute.removed_credits}",
                actor="stripe",
                reason=_TAKEN,
                at=at,
            )
        credits -= taken
        dispute.removed_credits += taken


def _take_instead(dispute: Dispute, payment: Payment, at: datetime) -> Payment:
    """Take what was owed and came back, as far as nobody has paid for it meanwhile."""
    wallet_id = ledger.open_wallet(account_id=dispute.account_id, at=at)
    debt = Wallet.objects.get(pk=wallet_id).debt
    credits = min(back_of(_lot(dispute, payment)), debt)
    if credits == 0:
        return payment
    ledger.clear_debt(
        wallet_id=wallet_id,
        credits=credits,
        idempotency_key=f"{dispute.key}:back:{dispute.removed_credits}",
        actor="stripe",
        reason=_BACK,
        at=at,
    )
    _take(dispute, payment, credits, at)
    _write_debt(dispute, payment, dispute.debt_credits - credits)
    return payments.payment_of(payment.payment_intent_id) or payment


def _owe(dispute: Dispute, payment: Payment, credits: int, at: datetime) -> None:
    if credits == 0:
        return
    ledger.record_debt(
        wallet_id=ledger.open_wallet(account_id=dispute.account_id, at=at),
        credits=credits,
        idempotency_key=(
            f"{dispute.key}:owe:{dispute.removed_credits}:{dispute.debt_credits}"
        ),
        actor="stripe",
        reason=_OWED,
        at=at,
    )
    _write_debt(dispute, payment, dispute.debt_credits + credits)


def _write_debt(dispute: Dispute, payment: Payment, credits: int) -> None:
    dispute.debt_credits = credits
    dispute.debt_cents = owed_cents(
        credits, granted=payment.granted, paid_cents=payment.paid_cents
    )
