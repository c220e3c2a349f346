"""Our books beside Stripe's: every kind of break is found and named, none falsely."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent
from billing.finance import stripe_balance
from billing.management.commands import reconcile
from billing.models import (
    BalanceMovement,
    Break,
    BreakKind,
    BreakState,
    DebtPayment,
    DebtPaymentState,
    Reconciliation,
)
from billing.reconciling import reading, recording, repairing, running
from billing.reconciling.comparing import SETTLES_WITHIN, differences
from billing.refunds import paying_debts
from billing.webhooks.registry import handler_for
from credits.models import Wallet
from tests.billing.conftest import available
from tests.billing.drift import SOWN, History, credits_of, lived
from tests.billing.refunds import use
from tests.factories import make_account

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def history(wire) -> History:
    history = lived(wire)
    stripe_balance.keep(reading.read(None).movements, at=history.at)
    return history


def found(history: History, since=None) -> list[tuple[str, str]]:
    books = reading.read(since)
    return [(one.kind, one.subject) for one in differences(books, at=history.at)]


def run(history: History, **how) -> Reconciliation:
    asked = running.ask(since=how.pop("since", None), by=None, at=history.at)
    return running.run(asked, at=history.at, **how)


def record(history: History) -> None:
    recording.record(
        differences(reading.read(None), at=history.at), since=None, at=history.at
    )


class TestDifferences:
    def test_are_none_where_everything_was_heard(self, history):
        assert found(history) == []
        assert found(history, since=history.at - timedelta(hours=72)) == []

    @pytest.mark.parametrize("kind", BreakKind)
    def test_of_each_kind_are_named_alone(self, history, kind):
        subject = SOWN[kind](history)
        history.later(HOUR)

        assert found(history) == [(kind, subject)]

    @pytest.mark.parametrize(
        "kind", [BreakKind.PAID_WITHOUT_GRANT, BreakKind.REFUND_UNPOSTED]
    )
    def test_of_a_moment_ago_are_still_settling(self, history, kind):
        SOWN[kind](history)
        history.later(SETTLES_WITHIN - timedelta(seconds=1))

        assert found(history) == []

    def test_that_an_event_told_of_lately_are_not_judged(self, history):
        subscription = history.account.subscriptions.get()
        history.plans.update(subscription, metadata={"colour": "green"})
        history.plans.hear()
        subject = SOWN[BreakKind.SUBSCRIPTION_DIFFERS](history)

        assert found(history) == []
        history.later(HOUR)
        assert found(history) == [(BreakKind.SUBSCRIPTION_DIFFERS, subject)]

    def test_cost_the_same_few_queries_however_much_there_is(self, history):
        books = reading.read(None)
        with CaptureQueriesContext(
            connection,
        ) as few:
            differences(books, at=history.at)
        for _ in range(3):
            history.settle(history.buy())
        books = reading.read(None)

        with CaptureQueriesContext(connection) as many:
            differences(books, at=history.at)

        assert len(many) == len(few) <= 30


class TestDebts:
    def test_that_were_paid_unheard_are_named_and_repaired(self, history):
        payment = paid_debt(history)
        history.later(HOUR)
        [(kind, subject)] = found(history)
        assert kind == BreakKind.PAID_WITHOUT_GRANT
        record(history)

        repairing.repair(Break.objects.get(), by="system", at=history.at)

        payment.refresh_from_db()
        assert payment.stripe_payment_intent_id == subject
        assert Wallet.objects.get(account=history.account).debt == 0
        assert found(history) == []

    def test_that_nobody_paid_are_named(self, history):
        DebtPayment.objects.create(
            account=history.account,
            payer=history.alice,
            state=DebtPaymentState.PAID,
            credits=100,
            cents=500,
            currency="usd",
            stripe_payment_intent_id="pi_never",
            opened_at=history.at,
            paid_at=history.at,
        )
        history.later(HOUR)

        assert found(history) == [(BreakKind.GRANT_WITHOUT_PAYMENT, "pi_never")]

    @pytest.mark.parametrize(
        ("wrong", "kind"),
        [
            ({"cents": 349}, BreakKind.AMOUNT_DIFFERS),
            ({"currency": "eur"}, BreakKind.CURRENCY_DIFFERS),
        ],
    )
    def test_that_cost_something_else_are_named(self, history, wrong, kind):
        payment = paid_debt(history)
        paying_debts.settle(payment, at=history.at)
        history.later(HOUR)
        assert found(history) == []

        DebtPayment.objects.update(**wrong)

        assert [each for each, _ in found(history)] == [kind]


def paid_debt(history: History) -> DebtPayment:
    """Let 70 credits be used, refunded and paid for on Stripe's page, unheard."""
    use(history.account, 1_570, at=history.at)
    intent_id = history.purchase.stripe_payment_intent_id
    refunds = history.plans.wire.client().v1.refunds
    refunds.create({"payment_intent": intent_id})
    history.plans.hear()
    payment = paying_debts.pay(
        account=history.account, payer=history.alice, at=history.at
    )
    history.plans.wire.pay(payment.stripe_session_id)
    return payment


class TestRecord:
    def test_keeps_the_same_break_in_one_row(self, history):
        SOWN[BreakKind.AMOUNT_DIFFERS](history)
        record(history)
        first_seen_at = history.at
        history.later(HOUR)

        record(history)

        row = Break.objects.get()
        assert (row.kind, row.state) == (BreakKind.AMOUNT_DIFFERS, BreakState.OPEN)
        assert row.account == history.account
        assert (row.here["cents"], row.at_stripe["cents"]) == (1_499, 1_500)
        assert (row.first_seen_at, row.last_seen_at) == (first_seen_at, history.at)
        assert row.age(at=history.at) == HOUR

    def test_closes_by_itself_what_is_gone(self, history):
        SOWN[BreakKind.AMOUNT_DIFFERS](history)
        record(history)
        history.purchase.save()
        history.later(HOUR)

        record(history)

        row = Break.objects.get()
        assert (row.state, row.closed_at) == (BreakState.GONE, history.at)

    def test_leaves_open_what_it_did_not_look_at(self, history):
        SOWN[BreakKind.AMOUNT_DIFFERS](history)
        record(history)
        history.later(HOUR)

        recording.record([], since=history.at, at=history.at)

        assert Break.objects.get().state == BreakState.OPEN

    def test_opens_again_what_comes_back(self, history):
        SOWN[BreakKind.AMOUNT_DIFFERS](history)
        record(history)
        Break.objects.update(state=BreakState.GONE, closed_at=history.at)
        history.later(HOUR)

        record(history)

        row = Break.objects.get()
        assert (row.state, row.first_seen_at) == (BreakState.OPEN, history.at)

    def test_leaves_ignored_what_was_ignored_until_its_figures_change(self, history):
        SOWN[BreakKind.AMOUNT_DIFFERS](history)
        record(history)
        repairing.ignore(
            Break.objects.get(), reason="Rounding.", by=history.alice, at=history.at
        )
        history.later(HOUR)

        record(history)
        assert Break.objects.get().state == BreakState.IGNORED
        SOWN[BreakKind.CURRENCY_DIFFERS](history)
        history.purchase.currency = "usd"
        history.purchase.paid_cents -= 5
        history.purchase.save()
        record(history)

        assert Break.objects.get().state == BreakState.OPEN


class TestRepair:
    def test_of_what_was_paid_brings_its_credits_once(self, history):
        purchase = history.buy()
        history.later(HOUR)
        record(history)
        row = Break.objects.get()

        for _ in range(2):
            repairing.repair(row, by=history.alice, at=history.at)

        assert credits_of(purchase) == 200
        row.refresh_from_db()
        assert row.state == BreakState.REPAIRED
        assert found(history) == []
        audited = AuditEvent.objects.get(action="break.repaired")
        assert (audited.actor, audited.reason) == (history.alice.email, "granted")

    @pytest.mark.parametrize(
        "kind",
        [
            BreakKind.REFUND_UNPOSTED,
            BreakKind.DISPUTE_UNPOSTED,
            BreakKind.SUBSCRIPTION_DIFFERS,
        ],
    )
    def test_lets_the_handler_look_again(self, history, kind):
        SOWN[kind](history)
        history.later(HOUR)
        record(history)

        repairing.repair(Break.objects.get(), by="system", at=history.at)
        history.later(HOUR)

        assert found(history) == []

    def test_is_refused_where_somebody_has_to_decide(self, history):
        SOWN[BreakKind.GRANT_WITHOUT_PAYMENT](history)
        history.later(HOUR)
        record(history)

        with pytest.raises(repairing.NotRepaired, match="somebody has to decide"):
            repairing.repair(Break.objects.get(), by="system", at=history.at)

        assert Break.objects.get().state == BreakState.OPEN

    def test_that_fails_leaves_the_break_open_and_says_why(self, history):
        history.buy()
        history.later(HOUR)
        record(history)
        history.plans.wire.fail_next("reset", on="GET", times=3)

        with pytest.raises(repairing.NotRepaired, match="StripeUnavailable"):
            repairing.repair(Break.objects.get(), by="system", at=history.at)

        assert Break.objects.get().state == BreakState.OPEN

    def test_names_only_kinds_that_somebody_looks_at(self, history):
        for sow in SOWN.values():
            sow(history)
        history.later(HOUR)

        kinds = {
            one.repair[0] for one in differences(reading.read(None), at=history.at)
        } - {""}

        assert all(handler_for(kind) for kind in kinds)


class TestRun:
    def test_receives_what_was_missed(self, history):
        purchase = history.buy()
        history.later(HOUR)

        first = run(history, since=history.at - timedelta(hours=72))
        second = run(history, since=history.at - timedelta(hours=72))

        assert credits_of(purchase) == 200
        assert (first.missed > 0, first.found) == (True, 0)
        assert (second.missed, second.found, second.repaired) == (0, 0, 0)

    def test_brings_what_was_paid_though_nothing_told_of_it(self, history):
        purchase = history.buy()
        history.plans.wire.sandbox.store.sql("DELETE FROM objects WHERE kind = 'event'")
        history.later(HOUR)

        done = run(history)

        assert (done.found, done.repaired) == (1, 1)
        assert credits_of(purchase) == 200

    def test_leaves_other_repairs_to_people(self, history):
        SOWN[BreakKind.SUBSCRIPTION_DIFFERS](history)
        history.later(HOUR)

        assert run(history).repaired == 0
        assert run(history, repairs_all=True).repaired == 1
        assert run(history).found == 0

    def test_keeps_fees_for_finance(self, wire):
        history = lived(wire)

        run(history)

        kept = BalanceMovement.objects.order_by("fee_cents").values_list(
            "category", "account"
        )
        assert set(kept) == {("charge", history.account.pk), ("charge", None)} & set(
            kept
        )

    def test_says_when_stripe_did_not_answer(self, history):
        history.plans.wire.fail_next("reset", on="GET /v1/charges", times=3)

        with pytest.raises(Exception, match="communicating"):
            run(history)

        failed = Reconciliation.objects.get()
        assert failed.error
        assert failed.finished_at
        assert not Break.objects.exists()


class TestRunDue:
    def test_makes_one_an_hour(self, history):
        assert running.run_due(at=history.at)
        assert running.run_due(at=history.at + timedelta(minutes=59)) is None
        assert running.run_due(at=history.at + timedelta(minutes=61))

    def test_makes_what_somebody_asked_for(self, history):
        running.run_due(at=history.at)
        asked = running.ask(since=None, by=history.alice, at=history.at)
        again = running.ask(since=None, by=history.alice, at=history.at)

        assert running.run_due(at=history.at).pk == asked.pk == again.pk
        assert AuditEvent.objects.filter(action="reconciliation.asked").count() == 1


class TestCommand:
    @pytest.fixture(autouse=True)
    def _at_the_history(self, history, monkeypatch):
        monkeypatch.setattr(reconcile, "now", lambda: history.at)

    def test_says_that_nothing_differs(self, history):
        told = StringIO()

        call_command("reconcile", stdout=told)

        assert " 0 breaks, 0 repaired." in told.getvalue()

    def test_ends_with_one_while_a_break_is_open(self, history):
        subject = SOWN[BreakKind.AMOUNT_DIFFERS](history)
        told = StringIO()

        with pytest.raises(CommandError, match="1 breaks are open") as ended:
            call_command("reconcile", "--since", "2026-03-01T00:00Z", stderr=told)

        assert ended.value.returncode == 1
        assert f"AMOUNT_DIFFERS {subject}" in told.getvalue()

    def test_repairs_when_it_is_told_to(self, history):
        SOWN[BreakKind.SUBSCRIPTION_DIFFERS](history)
        history.later(HOUR)

        call_command("reconcile", "--repair", stdout=StringIO())

        assert Break.objects.get().state == BreakState.REPAIRED


class TestBringWhatWasPaid:
    """R55: within 15 minutes, whatever happened to webhooks and return pages."""

    def test_grants_it_once(self, history):
        before = available(history.account)
        purchase = history.buy()
        history.later(timedelta(minutes=5))

        looked_at = running.bring_what_was_paid(at=history.at)

        assert (looked_at, credits_of(purchase)) == (1, 200)
        assert running.bring_what_was_paid(at=history.at) == 0
        assert available(history.account) == before + 200

    def test_begins_a_plan_whose_bill_nobody_heard_of(self, history):
        account = make_account()
        history.plans.pay_for(account, "creator")

        running.bring_what_was_paid(at=history.at)

        assert available(account) == 600
