"""What happens to customers of a simulation besides what they do themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from random import Random

from django.db import transaction

from accounts.models import Account
from billing import adjusting, payments
from billing.adjusting import Draft
from billing.core.periods import Span
from billing.disputes import doubts
from billing.finance import months
from billing.models import (
    Adjustment,
    AdjustmentKind,
    ClosedMonth,
    Invoice,
    InvoiceStatus,
    Purchase,
    PurchaseState,
)
from billing.refunds import refunding
from billing.refunds.refunding import Extent, RefundRefused
from billing.stripe_gateway import BillingError
from config import clock
from credits import ledger
from credits.models import (
    CreditGrant,
    EntryKind,
    LedgerEntry,
)
from stripe_sandbox import disputing
from tests.billing.adjustments import adjust, make_admin
from tests.factories import make_user
from tests.stripe_wire import StripeWire

_DAY = timedelta(days=1)
_keys = count(1)


class Fate:
    """Refunds, disputes, mistakes and goodwill, at random; and months that close."""

    def __init__(self, wire: StripeWire, seed: int, read=lambda _: ()) -> None:
        self.wire, self.chance = wire, Random(seed)  # noqa: S311 - to be repeated
        self.staff, self.admin = make_user(), make_admin()
        self.done: list[str] = []
        # Each month with what was read of it when it was closed.
        self.closed, self.read = [], read

    def strike(self) -> None:
        """Let a month have what it has."""
        at = clock.now()
        self._refund(Purchase.objects.filter(state=PurchaseState.PAID), at)
        self._refund(Invoice.objects.filter(status=InvoiceStatus.PAID), at)
        self._refund_at_stripe(at)
        self._dispute()
        self._give_back(at)
        self._adjust(at)
        self._extend(at)

    def close_months(self) -> None:
        """Close each month that is over, so that what comes late lands in the next."""
        at = clock.now()
        month = months.first_open(at=at)
        while month.ends_at < at - _DAY:
            ClosedMonth.objects.create(
                month=month.first,
                starts_at=month.starts_at,
                ends_at=month.ends_at,
                closed_at=at,
                closed_by=self.staff,
            )
            period = Span(month.starts_at, month.ends_at)
            self.closed.append((period, self.read(period)))
            month = month.next

    def _pick(self, found):
        ours = list(found.order_by("pk"))
        return self.chance.choice(ours) if ours else None

    def _refund(self, found, at: datetime) -> None:
        row = self._pick(found.exclude(stripe_payment_intent_id=None))
        payment = row and payments.payment_for(row)
        if not payment:
            return
        extent = self.chance.choice([Extent.UNSPENT, Extent.ALL])
        try:
            previewed = refunding.preview(payment, extent, at=at)
            refunding.ask(
                payment,
                previewed,
                by=self.staff,
                reason="Asked for",
                form_key=f"fate{next(_keys)}",
                at=at,
            )
        except (RefundRefused, BillingError):
            return
        self.done.append(f"refund of {payment.kind}")

    def _refund_at_stripe(self, at: datetime) -> None:
        paid = Purchase.objects.filter(state=PurchaseState.PAID, refunds=None)
        if row := self._pick(paid):
            self.wire.client().v1.refunds.create(
                {"payment_intent": row.stripe_payment_intent_id, "amount": 137}
            )
            self.done.append("refund in the dashboard")

    def _dispute(self) -> None:
        model = self.chance.choice([Purchase, Invoice])
        row = self._pick(
            model.objects.filter(refunds=None, disputes=None).exclude(
                stripe_payment_intent_id=None
            )
        )
        if not row:
            return
        sandbox = self.wire.sandbox
        with sandbox.store.transaction():
            context = sandbox.context()
            [charge] = sandbox.store.find(
                "charge", payment_intent=row.stripe_payment_intent_id
            )
            if charge["status"] == "succeeded" and not charge["disputed"]:
                opened = disputing.dispute(context, charge, "fraudulent")
                self.done.append("dispute")
                # The others wait for their date, and are lost then.
                if verb := self.chance.choice(["win", "lose", ""]):
                    getattr(disputing, verb)(context, opened)
                    self.done.append(verb)

    def _give_back(self, at: datetime) -> None:
        entry = self._pick(LedgerEntry.objects.filter(kind=EntryKind.SPEND))
        if entry:
            self._try("give back", self._reverse_job, entry, at=at)

    @transaction.atomic
    def _reverse_job(self, entry: LedgerEntry, *, at: datetime) -> None:
        """Give back as a make-good does, whatever banks have taken meanwhile."""
        ledger.reverse(
            entry_id=entry.pk,
            credits=1,
            idempotency_key=f"fate:{next(_keys)}",
            actor="staff",
            reason="It failed.",
            at=at,
        )
        doubts.look_at_lost(entry.wallet.account_id, at=at)

    def _adjust(self, at: datetime) -> None:
        account = self._pick(Account.objects.filter(wallets__balance__gt=90))
        if account is None:
            return
        more = Draft(
            account,
            AdjustmentKind.ADD,
            self.chance.randint(1, 90),
            expires_at=at + 20 * _DAY,
        )
        made = self._try("adjust", adjust, more, self.admin, at=at)
        less = Draft(account, AdjustmentKind.REMOVE, self.chance.randint(1, 30))
        self._try("remove", adjust, less, self.admin, at=at)
        if made:
            self._try("reverse", self._reverse, made, at=at)

    def _reverse(self, made: Adjustment, *, at: datetime) -> None:
        adjust(adjusting.reversal_of(made), self.admin, at=at)

    def _extend(self, at: datetime) -> None:
        grant = self._pick(
            CreditGrant.objects.filter(is_open=True, expires_at__gt=at, frozen_for=[])
        )
        if grant:
            self._try(
                "extend",
                ledger.move,
                grant_id=grant.pk,
                expires_at=grant.expires_at + _DAY,
                idempotency_key=f"fate:{next(_keys)}",
                actor="staff",
                reason="Late.",
                at=at,
            )

    def _try(self, name: str, command, *args, **values):
        try:
            done = command(*args, **values)
        except (ledger.CreditsError, BillingError):
            return None
        self.done.append(name)
        return done
