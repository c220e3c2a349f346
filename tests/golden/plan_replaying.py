"""Replays a vector of a plan: Stripe's sandbox charges, the inbox hears, beat ticks."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from accounts.models import Notice, Role
from billing.changes import arranging, changing, migrating
from billing.changes.changing import ChangeInProgress
from billing.changes.previewing import ChangeRefused
from billing.models import Interval, Invoice, PlanChange
from billing.plans import catalogue, subscribing
from billing.purchases import settling
from billing.purchases.purchasing import PurchaseRefused
from credits.models import CreditGrant, Wallet
from tests.billing.changes import change
from tests.billing.conftest import buy
from tests.billing.plans import Plans
from tests.factories import make_account, make_member
from tests.golden.bank_replaying import BankVerbs
from tests.golden.finance_replaying import FinanceFigures
from tests.golden.money_replaying import MoneyVerbs
from tests.golden.replaying import Replay

if TYPE_CHECKING:
    from tests.stripe_wire import StripeWire


class PlanReplay(FinanceFigures, MoneyVerbs, BankVerbs, Replay):
    """An account whose plan was paid on Stripe's page when the clock was set."""

    # Purchases are durable: they commit before Stripe is called.
    undoing_refusals = staticmethod(nullcontext)
    refusals_expected = (
        *Replay.refusals_expected,
        ChangeRefused,
        ChangeInProgress,
        PurchaseRefused,
    )

    def __init__(self, given: dict, wire: StripeWire):
        at = datetime.fromisoformat(given["clock"])
        wire.at(at)
        self.plans = Plans(wire, at=at)
        self.account = make_account(billing_email="bills@example.com")
        self.owner = make_member(self.account, Role.OWNER)
        super().__init__(given)

    def outcome(self) -> dict:
        """Return all that a vector of a plan may expect."""
        subscription = subscribing.live_subscription(self.account.pk)
        return super().outcome() | {
            "plan": {
                "code": subscribing.version_of(subscription, at=self.at).plan.code,
                "interval": subscription.interval if subscription else "",
                "standing": subscribing.standing(subscription, at=self.at),
                "paid_until": subscription and subscription.paid_until,
                "cycle": self._cycle(),
            },
            "bills": [
                {"reason": bill.reason, "status": bill.status, "cents": bill.net_cents}
                for bill in Invoice.objects.order_by("created_at", "pk")
            ],
            "changes": [
                [change.kind, change.state]
                for change in PlanChange.objects.order_by("pk")
            ],
            "notices": [
                notice.kind
                for notice in Notice.objects.filter(
                    recipient=self.account.billing_email
                ).order_by("pk")
            ],
        }

    def _open_wallet(self, given: dict) -> Wallet:
        self._subscribe(given["plan"], {})
        return Wallet.objects.get(account=self.account)

    def _advance(self, to: datetime, command: dict) -> None:
        self.plans.travel(to, has_beat=not command.get("without_beat"))
        self.at = to

    def _subscribe(self, command: dict, _: dict) -> None:
        interval = Interval(command.get("interval", "MONTH"))
        days = command.get("trial_days")
        terms = {"trial_period_days": days} if days else {}
        self.plans.pay_for(self.account, command["code"], interval, **terms)
        self.plans.hear()

    def _take_off(self, command: dict, _: dict) -> None:
        """Let a coupon lower every further bill."""
        live = self.account.subscriptions.get(ended_at=None)
        self.plans.take_off(live, command["percent"])

    def _cancel(self, _: dict, __: dict) -> None:
        self._update(cancel_at_period_end=True)

    def _resume(self, _: dict, __: dict) -> None:
        self._update(cancel_at_period_end=False)

    def _cancel_now(self, _: dict, __: dict) -> None:
        live = self.account.subscriptions.get(ended_at=None)
        subscriptions = self.plans.wire.client().v1.subscriptions
        subscriptions.cancel(live.stripe_subscription_id)
        self.plans.hear()

    def _change(self, command: dict, _: dict) -> None:
        """See what a change does, and confirm it."""
        interval = Interval(command.get("interval", "MONTH"))
        version = catalogue.plan_in_force(command["code"], at=self.at)
        if version.month_cents:
            self.plans.price_id(version, interval)
        change(self.plans, self.account, self.owner, command["code"], interval)

    def _publish_price(self, command: dict, _: dict) -> None:
        """Sell a plan at another price from now on."""
        version = catalogue.plan_in_force(command["code"], at=self.at)
        version.pk, version.version = None, version.version + 1
        version.starts_at, version.month_cents = self.at, command["month_cents"]
        version.save()
        self.plans.price_id(version)

    def _migrate_prices(self, _: dict, __: dict) -> None:
        for planned in list(migrating.planned(at=self.at)):
            migrating.migrate(planned, at=self.at)

    def _undo(self, _: dict, __: dict) -> None:
        """Take the scheduled change back."""
        scheduled = changing.scheduled_change(self.account.pk)
        arranging.take_back(scheduled, at=self.at)

    def _let_cards_fail(self, _: dict, __: dict) -> None:
        self.plans.let_cards_fail(self.account.subscriptions.get(ended_at=None))

    def _pay_bill(self, _: dict, __: dict) -> None:
        """Pay the latest bill on its page."""
        bill = Invoice.objects.latest("created_at")
        self.plans.wire.pay_invoice(bill.stripe_invoice_id)
        self.plans.hear()

    def _buy(self, command: dict, _: dict) -> None:
        purchase = buy(self.account, self.owner, command["blocks"], at=self.at)
        card = {"card": command["card"]} if "card" in command else {}
        self.plans.wire.pay(purchase.stripe_session_id, **card)
        settling.settle(session_id=purchase.stripe_session_id, at=self.at)

    def _set_zone(self, command: dict, _: dict) -> None:
        self.account.time_zone = command["zone"]
        self.account.save()

    def _update(self, **params: object) -> None:
        live = self.account.subscriptions.get(ended_at=None)
        self.plans.update(live, **params)
        self.plans.hear()

    def _cycle(self) -> list[datetime | None]:
        wallet = Wallet.objects.get(pk=self.wallet.pk)
        return [wallet.cycle_starts_at, wallet.cycle_ends_at]

    def _name(self, grant_id: int) -> str:
        """Name a grant by its source and the day on which it began."""
        grant = CreditGrant.objects.get(pk=grant_id)
        return f"{grant.source.lower()} {grant.effective_at:%Y-%m-%d}"
