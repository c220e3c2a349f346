"""One row of each chore that nobody has done: each returns since when it waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from accounts.models import Account, Notice, User
from billing.finance import closing
from billing.finance.months import Month
from billing.models import (
    AutoReload,
    CardOnFile,
    Cycle,
    DebtPayment,
    Dispute,
    Export,
    ExportState,
    FreeVideoNews,
    FreeVideoOffer,
    Interval,
    OutgoingKind,
    Plan,
    PlanChange,
    Purchase,
    Reconciliation,
    Refund,
    Reload,
    Subscription,
    WebhookSubject,
)
from billing.outgoing import endpoints, facts
from billing.plans import drafts as plan_drafts
from billing.refunds import paying_debts
from billing.refunds.refunding import Extent
from credits import rate_cards
from credits.models import ExpiryWatch
from tests.billing import batches, exports, refunds, reloads
from tests.billing.bank import Bank
from tests.billing.changes import change, tell_prices
from tests.billing.conftest import buy, on_plan
from tests.billing.plans import DAY, Plans
from tests.conftest import NOW
from tests.credits import rate_drafting
from tests.factories import make_account, make_member, make_wallet
from tests.stripe_wire import StripeWire

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class World:
    """Stripe, an account on Business, and who owns it."""

    wire: StripeWire
    business: Account
    alice: User


def _waiting(rows, field: str = "next_check_at") -> datetime:
    assert rows.update(**{field: NOW}) == 1
    return NOW


def inbox(_world: World) -> datetime:
    WebhookSubject.objects.create(
        stripe_object_id="evt_of_a_kind_that_nobody_acts_on",
        kind="tax_rate",
        rounds_due=1,
        due_since=NOW,
        next_attempt_at=NOW,
    )
    return NOW


def purchases(world: World) -> datetime:
    buy(world.business, world.alice)
    return _waiting(Purchase.objects)


def short_accounts(world: World) -> datetime:
    card = reloads.save_card(world.wire, world.business)
    reloads.agree(world.business, world.alice, card)
    reloads.use(world.business, 1_400)
    return _waiting(AutoReload.objects, "looked_at")


def reloads_under_way(world: World) -> datetime:
    short_accounts(world)
    reloads.consider(world.business)
    return _waiting(Reload.objects, "next_attempt_at")


def subscriptions(world: World) -> datetime:
    subscription = Plans(world.wire).subscribe(make_account(), "creator")
    return _waiting(Subscription.objects.filter(pk=subscription.pk))


def plan_changes(world: World) -> datetime:
    tell_prices()
    account = make_account()
    change(Plans(world.wire), account, make_member(account, "OWNER"), "creator")
    return _waiting(PlanChange.objects)


def refunds_under_way(world: World) -> datetime:
    refunds.refund(refunds.bought(world.wire, world.business, world.alice))
    return _waiting(Refund.objects)


def disputes(world: World) -> datetime:
    paid = refunds.bought(world.wire, world.business, world.alice)
    Bank(Plans(world.wire)).dispute(paid)
    return _waiting(Dispute.objects)


def debt_payments(world: World) -> datetime:
    paid = refunds.bought(world.wire, world.business, world.alice)
    refunds.use(world.business, 1_570)
    refunds.refund(paid, Extent.ALL)
    paying_debts.pay(account=world.business, payer=world.alice, at=refunds.LATER)
    return _waiting(DebtPayment.objects)


def offers(_world: World) -> datetime:
    ada = batches.staff()
    draft = plan_drafts.begin(plan=Plan.objects.get(code="creator"), by=ada, at=NOW)
    dearer = replace(plan_drafts.terms_of(draft), month_cents=3_900)
    plan_drafts.set_terms(
        draft, dearer, starts_at=None, seen=draft.digest, by=ada, at=NOW
    )
    draft.refresh_from_db()
    plan_drafts.publish(draft, seen=draft.digest, reason="Costs rose", by=ada, at=NOW)
    return NOW


def renewals(_world: World) -> datetime:
    account = on_plan("creator", interval=Interval.YEAR)
    return account.subscriptions.get().paid_until - 30 * DAY


def cards(world: World) -> datetime:
    CardOnFile.objects.create(
        account=world.business,
        stripe_card_id="pm_1",
        brand="Visa",
        last4="4242",
        expires_at=NOW + 30 * DAY,
    )
    return NOW


def cycles(_world: World) -> datetime:
    on_plan("creator", interval=Interval.YEAR)
    return Cycle.objects.filter(granted_at=None).earliest("starts_at").starts_at


def notices(_world: World, key: str = "test") -> datetime:
    Notice.objects.create(
        key=key,
        kind="test",
        recipient="alice@example.com",
        subject="Hello",
        created_at=NOW,
        next_attempt_at=NOW + MINUTE,
    )
    return NOW


def deliveries(_world: World) -> datetime:
    url = "http://127.0.0.1:9/"  # where nobody listens
    endpoints.add(url=url, kinds=OutgoingKind.values, by=None, at=NOW)
    facts.tell_reload_failed(make_account(), reload_id=1, reason="lost", at=NOW)
    return NOW


def expiries(_world: World) -> datetime:
    make_wallet(grants={"plan": (10, DAY)})
    return NOW + DAY


def alerts(_world: World) -> datetime:
    ExpiryWatch.objects.create(days=7, told_until=NOW)
    return NOW


def rate_changes(_world: World) -> datetime:
    ada = batches.staff()
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)
    draft = rate_drafting.set_rates(rate_drafting.begin(ada), ada, look=(2, 1))
    rate_drafting.publish(draft, ada, tells_customers=True)
    return NOW


def free_videos(_world: World) -> datetime:
    offer = FreeVideoOffer.objects.get()
    FreeVideoNews.objects.create(offer=offer)
    return offer.starts_at


def adjustment_files(world: World) -> datetime:
    content = batches.sheet(batches.line(world.business, 10))
    batches.proposed(content, by=batches.staff())
    return NOW


def make_goods(_world: World) -> datetime:
    wallet = make_wallet(grants={"plan": (100, 60 * DAY)})
    batches.spend(wallet, ("look", 10), key="job")
    batches.made_good(batches.incident(), by=batches.staff())
    return NOW


def comparisons(_world: World) -> datetime:
    Reconciliation.objects.create(
        asked_at=NOW, started_at=NOW, finished_at=NOW, error="StripeUnavailable"
    )
    return NOW


def exports_to_make(_world: World) -> datetime:
    exports.ask()
    return NOW


def export_files(_world: World) -> datetime:
    export = exports.ask()
    Export.objects.filter(pk=export.pk).update(
        state=ExportState.READY,
        finished_at=NOW,
        expires_at=NOW + DAY,
        file_name="export.csv",
        size=1,
        rows_total=0,
        sha256="0" * 64,
    )
    return NOW + DAY


def months(_world: World) -> datetime:
    march = Month(date(2026, 3, 1))
    closed_at = march.ends_at + 2 * DAY
    closing.close(march, by=batches.staff(), reason="All is settled.", at=closed_at)
    return closed_at + closing.SEALS_AFTER


OVERDUE = {
    made.__name__.removesuffix("_under_way").removesuffix("_to_make"): made
    for made in (
        *(inbox, purchases, short_accounts, reloads_under_way, subscriptions),
        *(plan_changes, refunds_under_way, disputes, debt_payments, offers),
        *(renewals, cards, cycles, notices, deliveries, expiries, alerts),
        *(rate_changes, free_videos, adjustment_files, make_goods, comparisons),
        *(exports_to_make, export_files, months),
    )
}
