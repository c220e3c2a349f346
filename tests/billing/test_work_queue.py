"""What waits for staff: queued where it happens, once, closed when it is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts import notifying, sending
from accounts.models import AuditEvent, Membership
from accounts.roles import StaffGroup
from billing import tasks, work_items
from billing.console import chores, queue, wording
from billing.models import WebhookSubject, WorkItem, WorkKind, WorkState
from credits import audits, ledger, rate_cards, settling
from credits.models import Hold
from tests.billing.conftest import on_plan
from tests.billing.plans import Plans
from tests.billing.queued import (
    TWO_DAYS_LATER,
    held,
    looks,
    report,
    top_up,
    unbilled,
    wallet_of,
)
from tests.conftest import NOW
from tests.credits.conftest import _forget_rates, caller_for, rates
from tests.factories import make_staff

__all__ = ["_forget_rates", "caller_for", "rates"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_forget_rates")]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def ada(db):
    return make_staff(StaffGroup.SUPPORT, email="ada@purser.example")


@pytest.fixture
def ben(db):
    return make_staff(StaffGroup.SUPPORT, email="ben@purser.example")


def as_shown(item: WorkItem) -> WorkItem:
    return WorkItem.objects.get(pk=item.pk)


class TestUnbilledJob:
    """R72: a job without credits joins the queue, and no debt arises."""

    def test_waits_with_all_that_is_needed_to_charge_it(self, business):
        item = unbilled(business, 10)

        assert (item.state, item.account, item.credits) == (
            WorkState.OPEN,
            business,
            10,
        )
        assert queue.lines_of(item) == looks(10)
        assert item.facts["reference"] == "job"
        assert "0 are available" in item.facts["why"]
        assert wallet_of(business).debt == 0

    def test_is_one_item_however_often_it_is_reported(self, business):
        item = unbilled(business)
        hold = item_hold(item)

        for minutes in (0, 0, 2, 2):
            with pytest.raises(settling.HoldLapsed):
                report(hold, 10, at=TWO_DAYS_LATER + minutes * MINUTE)

        [again] = WorkItem.objects.all()
        assert (again.times_seen, again.last_seen_at - again.first_seen_at) == (
            2,
            2 * MINUTE,
        )

    def test_says_what_was_reported_last(self, business):
        item = unbilled(business)

        with pytest.raises(settling.HoldLapsed):
            report(item_hold(item), 8)

        assert as_shown(item).credits == 8

    def test_closes_when_it_is_charged_after_all(self, business):
        item = unbilled(business)
        top_up(business, 50)

        report(item_hold(item), 10)

        assert as_shown(item).state == WorkState.DONE
        assert as_shown(item).outcome == "It was charged."

    def test_waits_too_if_a_cap_forbids_it(self, business, alice):
        hold = held(business, 10, member=alice)
        ledger.set_cap(
            wallet_id=hold.wallet_id,
            member_id=alice.pk,
            credits=5,
            set_by_id=alice.pk,
            at=NOW,
        )

        with pytest.raises(ledger.MemberCapReached):
            report(hold, 10)

        assert WorkItem.objects.get().kind == WorkKind.UNBILLED_JOB

    def test_of_a_job_that_is_charged_is_none(self, business):
        report(held(business, 10), 10)

        assert not WorkItem.objects.exists()


class TestCharge:
    def test_charges_it_once_there_are_credits(self, business, ada):
        item = unbilled(business, 10)
        top_up(business, 50)

        queue.charge(item, by=ada, at=TWO_DAYS_LATER)

        assert wallet_of(business).available == 40
        assert as_shown(item).state == WorkState.DONE
        event = AuditEvent.objects.get(action="work.charged")
        assert (event.account_id, event.actor) == (business.pk, ada.email)
        assert audits.verify() == []

    def test_is_the_backends_own_charge(self, business, ada):
        """R72: keyed by the hold, so never twice, whoever comes first."""
        item = unbilled(business, 10)
        top_up(business, 50)
        queue.charge(item, by=ada, at=TWO_DAYS_LATER)

        settled = report(item_hold(item), 10)

        assert settled.is_replay
        assert wallet_of(business).available == 40

    def test_of_a_job_that_was_charged_is_refused(self, business, ada):
        item = unbilled(business, 10)
        top_up(business, 50)
        report(item_hold(item), 10)

        with pytest.raises(queue.NotOpen):
            queue.charge(item, by=ada, at=TWO_DAYS_LATER)

        assert wallet_of(business).available == 40

    def test_without_credits_leaves_it_open(self, business, ada):
        item = unbilled(business, 10)

        with pytest.raises(queue.NotCharged, match="needs 10 credits"):
            queue.charge(item, by=ada, at=TWO_DAYS_LATER)

        assert as_shown(item).is_open
        assert not AuditEvent.objects.filter(action="work.charged").exists()


class TestAbsorbedCost:
    """R71: what a job costs above its quote is ours, and staff hear of it."""

    def test_is_added_up_by_day_and_feature(self, business):
        for key, used in (("a", 12), ("b", 15)):
            report(held(business, 10, key=key), used, key=f"end:{key}", at=NOW)

        item = WorkItem.objects.get()
        assert (item.kind, item.subject) == (
            WorkKind.ABSORBED_COST,
            "2026-03-10:look",
        )
        assert (item.credits, item.times_seen) == (7, 2)
        assert wallet_of(business).available == 1_480

    def test_is_counted_for_jobs_whose_hold_had_timed_out(self, business):
        report(held(business, 10), 13)

        assert WorkItem.objects.get().credits == 3

    def test_is_counted_once_for_a_repeated_report(self, business):
        hold = held(business, 10)

        for _ in range(2):
            report(hold, 12, at=NOW)

        assert WorkItem.objects.get().credits == 2

    def test_within_the_quote_is_none(self, business):
        report(held(business, 10), 10, at=NOW)

        assert not WorkItem.objects.exists()


@pytest.mark.usefixtures("rates")
class TestMissingRate:
    """R97: a feature without a rate is refused, and staff hear of it."""

    def test_is_queued_though_the_job_is_refused(self, business, caller_for):
        answer = ask_for(caller_for(business), business, "hologram")

        assert answer.status_code == 422
        item = WorkItem.objects.get()
        assert item.facts == {
            "rate_plan": "standard",
            "version": 1,
            "feature": "hologram",
        }

    def test_is_one_item_for_a_feature(self, business, caller_for):
        caller = caller_for(business)

        for feature in ("hologram", "smell", "hologram"):
            ask_for(caller, business, feature)

        subjects = WorkItem.objects.values_list("subject", flat=True)
        assert sorted(subjects) == ["standard:hologram", "standard:smell"]

    def test_seen_again_costs_a_read_and_no_write(
        self, business, caller_for, django_assert_num_queries
    ):
        note_missing("hologram")

        with django_assert_num_queries(2):
            note_missing("hologram", at=NOW + MINUTE / 2)

        assert WorkItem.objects.get().last_seen_at == NOW

    def test_of_made_up_names_fills_no_table(self, monkeypatch):
        monkeypatch.setattr(work_items, "_MOST_MISSING_RATES", 3)

        for number in range(5):
            note_missing(f"made-up-{number}")

        assert WorkItem.objects.count() == 3

    def test_closes_once_a_rate_is_in_force(self):
        note_missing("hologram")
        publish_with("hologram", starts_at=NOW + DAY)

        assert queue.close_what_has_rates(at=NOW) == 0
        assert queue.close_what_has_rates(at=NOW + DAY) == 1

        item = WorkItem.objects.get()
        assert (item.state, item.outcome) == (WorkState.DONE, "Rate card 2 has it.")

    def test_is_looked_at_by_beat(self, monkeypatch):
        note_missing("look")
        monkeypatch.setattr(tasks, "now", lambda: NOW)

        tasks.tidy_work_queue()

        assert WorkItem.objects.get().state == WorkState.DONE


class TestUnknownWebhook:
    """R98: what Stripe tells of nobody known is kept, and staff hear of it."""

    @pytest.fixture
    def lost(self, wire, business):
        """A plan that Stripe tells of before its account can be found."""
        plans = Plans(wire)
        free = on_plan("free")
        plans.pay_for(free, "creator")
        public_id = free.public_id
        rename(free, "acc_elsewhere")
        plans.hear()
        return plans, free, public_id

    def test_is_queued_with_what_failed(self, lost):
        item = WorkItem.objects.get(facts__object_kind="subscription")

        assert item.kind == WorkKind.UNKNOWN_WEBHOOK
        assert "There is no account" in item.facts["error"]

    def test_closes_when_the_account_is_found(self, lost):
        plans, account, public_id = lost
        rename(account, public_id)

        plans.at += timedelta(hours=1)
        plans.work_off()

        states = WorkItem.objects.values_list("state", flat=True)
        assert set(states) == {WorkState.DONE}

    def test_is_ignored_at_the_inbox_as_well(self, lost, ada):
        item = WorkItem.objects.get(facts__object_kind="subscription")

        queue.close(item, WorkState.IGNORED, reason="Not ours.", by=ada, at=lost[0].at)

        subject = WebhookSubject.objects.get(stripe_object_id=item.subject)
        assert not subject.is_due
        assert as_shown(item).outcome == "Not ours."


class TestUndeliveredMail:
    @pytest.fixture
    def lost(self, business, alice, settings):
        """Two e-mails to an address that the mail server does not know."""
        settings.EMAIL_BACKEND = "tests.accounts.test_notices.RefusingAddresses"
        for name in ("first", "second"):
            notifying.notify(
                kind="member_joined",
                key=name,
                recipients=["Nobody@example.com"],
                context={"member": Membership.objects.first(), "who": "alice"},
                account=business,
                at=NOW,
            )

    def test_is_one_item_for_an_address(self, lost, business):
        while sending.send_next(at=NOW + DAY):
            pass

        item = WorkItem.objects.get()
        assert (item.kind, item.subject) == (
            WorkKind.UNDELIVERED_MAIL,
            "nobody@example.com",
        )
        assert item.account == business
        assert dict(wording.facts_of(item))["What the server said"] == "550 who?"

    def test_is_no_longer_waited_for(self, lost):
        [chore] = [one for one in chores.CHORES if one.name == "notices"]
        assert chore.rows(NOW + DAY).count() == 2

        while sending.send_next(at=NOW + DAY):
            pass

        assert not chore.rows(NOW + 9 * DAY).exists()


class TestTake:
    def test_makes_it_mine(self, business, ada):
        item = unbilled(business)

        queue.take(item, by=ada, at=NOW)

        assert as_shown(item).owner == ada
        event = AuditEvent.objects.get(action="work.taken")
        assert event.after == {"owner": ada.email}

    def test_of_two_at_once_tells_the_second(self, business, ada, ben):
        item = unbilled(business)
        seen_by_ada, seen_by_ben = as_shown(item), as_shown(item)
        queue.take(seen_by_ada, by=ada, at=NOW)

        with pytest.raises(queue.TakenMeanwhile, match="ada@purser"):
            queue.take(seen_by_ben, by=ben, at=NOW)

        assert as_shown(item).owner == ada

    def test_takes_it_over_from_whoever_was_shown(self, business, ada, ben):
        item = unbilled(business)
        queue.take(item, by=ada, at=NOW)

        queue.take(as_shown(item), by=ben, at=NOW)

        assert as_shown(item).owner == ben

    def test_of_what_is_closed_is_refused(self, business, ada):
        item = unbilled(business)
        queue.close(item, WorkState.DONE, reason="Agreed.", by=ada, at=NOW)

        with pytest.raises(queue.NotOpen):
            queue.take(item, by=ada, at=NOW)


class TestClose:
    def test_says_who_and_why(self, business, ada):
        item = unbilled(business)

        queue.close(item, WorkState.DONE, reason="We waive it.", by=ada, at=NOW)

        assert as_shown(item).outcome == "We waive it."
        event = AuditEvent.objects.get(action="work.closed")
        assert (event.reason, event.after) == ("We waive it.", {"state": "DONE"})

    def test_twice_is_refused(self, business, ada):
        item = unbilled(business)
        queue.close(item, WorkState.DONE, reason="Agreed.", by=ada, at=NOW)

        with pytest.raises(queue.NotOpen):
            queue.close(item, WorkState.IGNORED, reason="No.", by=ada, at=NOW)

    @pytest.mark.parametrize(
        ("state", "after"),
        [(WorkState.DONE, WorkState.OPEN), (WorkState.IGNORED, WorkState.IGNORED)],
    )
    def test_seen_again_what_was_done_opens_and_what_is_ignored_stays(
        self, ada, state, after
    ):
        note_missing("hologram")
        item = WorkItem.objects.get()
        queue.close(item, state, reason="Told them.", by=ada, at=NOW)

        note_missing("hologram", at=NOW + DAY)

        assert as_shown(item).state == after

    def test_without_a_reason_is_refused_by_the_database(self, ada):
        note_missing("hologram")
        item = WorkItem.objects.get()

        with pytest.raises(IntegrityError), transaction.atomic():
            queue.close(item, WorkState.DONE, reason="", by=ada, at=NOW)

    def test_and_open_is_counted_on_the_first_page(self, ada):
        note_missing("hologram")
        note_missing("smell")
        item = WorkItem.objects.first()

        queue.close(item, WorkState.DONE, reason="Told them.", by=ada, at=NOW)

        assert work_items.waiting(NOW) == 1


def item_hold(item: WorkItem) -> Hold:
    return Hold.objects.select_related("wallet").get(public_id=item.subject)


def note_missing(feature: str, *, at=NOW) -> None:
    work_items.note_missing_rate(
        rate_plan="standard", version=1, feature=feature, at=at
    )


def ask_for(caller, account, feature: str):
    lines = [{"feature": feature, "quantity": 1}]
    body = {"account": account.public_id, "lines": lines}
    return caller.post("/debits", body, key=f"k:{feature}")


def publish_with(feature: str, *, starts_at) -> None:
    card, *_ = rate_cards.read()
    line = replace(card.lines[0], feature=feature)
    wider = replace(card, version=2, starts_at=starts_at, lines=(*card.lines, line))
    rate_cards.publish(wider, at=NOW)


def rename(account, public_id: str) -> None:
    account.public_id = public_id
    account.save()
