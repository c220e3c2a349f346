"""Leases and rounds: Stripe's objects are looked at until nothing is new."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import DatabaseError, connection

from billing import stripe_gateway
from billing.models import PurchaseState, WebhookEvent, WebhookSubject
from billing.purchases import settling
from billing.webhooks import inbox, registry
from tests.billing.conftest import available, buy, event_of
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def deliver(event: dict, at=NOW) -> int:
    return inbox.receive(event_of(event), at=at)


def made_up(number: int = 1, kind: str = "thing", object_id: str = "obj_1") -> dict:
    return {
        "id": f"evt_{number}",
        "type": f"{kind}.updated",
        "api_version": "",
        "data": {"object": {"id": object_id, "object": kind}},
    }


@pytest.fixture
def looks(monkeypatch):
    """A handler for things: what it fetches, does and answers is the test's."""

    class Looks:
        fetched: list[str] = []
        applied: list[str] = []

        def fetch(self, object_id: str) -> str:
            self.fetched.append(object_id)
            return f"state {len(self.fetched)}"

        def apply(self, state: str, *, at) -> str:
            self.applied.append(state)
            return "done"

    looks = Looks()
    looks.fetched, looks.applied = [], []
    handler = registry.Handler(
        "thing",
        (),
        # Looked up at each call: a test may replace them at any time.
        lambda object_id: looks.fetch(object_id),  # noqa: PLW0108
        lambda state, *, at: looks.apply(state, at=at),
    )
    monkeypatch.setitem(registry._handlers, "thing", handler)
    return looks


class TestLook:
    def test_covers_all_events_that_came_before_it(self, looks):
        [subject_id] = {deliver(made_up(number)) for number in range(1, 6)}

        inbox.look_at(subject_id, at=NOW)

        assert looks.applied == ["state 1"]
        assert {event.outcome for event in WebhookEvent.objects.all()} == {"done"}
        assert not WebhookEvent.objects.filter(handled_at=None).exists()

    def test_again_does_nothing(self, looks):
        subject_id = deliver(made_up())

        inbox.look_at(subject_id, at=NOW)
        inbox.look_at(subject_id, at=NOW)

        assert len(looks.fetched) == 1

    def test_an_event_during_a_look_causes_another(self, looks):
        subject_id = deliver(made_up(1))
        first_fetch = looks.fetch

        def fetch(object_id: str) -> str:
            if not looks.fetched:
                deliver(made_up(2))
            return first_fetch(object_id)

        looks.fetch = fetch
        inbox.look_at(subject_id, at=NOW)

        assert looks.applied == ["state 1", "state 2"]
        subject = WebhookSubject.objects.get()
        assert (subject.rounds_due, subject.rounds_done) == (2, 2)

    def test_of_a_kind_without_a_handler_is_noted_as_ignored(self):
        subject_id = deliver(made_up(kind="weather"))

        inbox.look_at(subject_id, at=NOW)

        assert WebhookEvent.objects.get().outcome == "ignored"

    def test_of_an_object_that_is_gone_is_noted(self, wire):
        subject_id = deliver(made_up(kind="checkout.session", object_id="cs_test_none"))

        inbox.look_at(subject_id, at=NOW)

        assert WebhookEvent.objects.get().outcome == "gone"


class TestLease:
    def test_keeps_others_away_while_one_looks(self, looks):
        subject_id = deliver(made_up())
        inner: list[int] = []

        def fetch(_: str) -> str:
            inbox.look_at(subject_id, at=NOW)
            inner.append(len(looks.applied))
            return "state"

        looks.fetch = fetch
        inbox.look_at(subject_id, at=NOW)

        assert inner == [0]
        assert looks.applied == ["state"]

    def test_what_was_fetched_under_a_lost_lease_is_not_applied(self, looks):
        subject_id = deliver(made_up())

        def slow_fetch(_: str) -> str:
            looks.fetch = lambda _: "new state"
            inbox.look_at(subject_id, at=NOW + inbox.LEASE)
            return "old state"

        looks.fetch = slow_fetch
        inbox.look_at(subject_id, at=NOW)

        assert looks.applied == ["new state"]

    def test_whoever_dies_is_replaced_when_the_lease_ends(self, looks):
        subject_id = deliver(made_up())
        inbox._claim(subject_id, NOW)

        inbox.look_at(subject_id, at=NOW + timedelta(seconds=59))
        assert looks.applied == []
        assert inbox.due_subjects(limit=9, at=NOW + inbox.LEASE) == [subject_id]
        inbox.look_at(subject_id, at=NOW + inbox.LEASE)

        assert looks.applied == ["state 1"]

    def test_an_event_does_not_end_the_lease_of_another(self, looks):
        subject_id = deliver(made_up(1))
        inbox._claim(subject_id, NOW)

        deliver(made_up(2), at=NOW)

        assert inbox.due_subjects(limit=9, at=NOW) == []


class TestFailure:
    def failing(self, error: Exception):
        def fetch(_: str) -> str:
            raise error

        return fetch

    def test_is_kept_and_tried_again_later(self, looks):
        looks.fetch, works = (
            self.failing(stripe_gateway.StripeUnavailable("no answer")),
            looks.fetch,
        )
        subject_id = deliver(made_up())

        inbox.look_at(subject_id, at=NOW)

        subject = WebhookSubject.objects.get()
        assert subject.last_error == "StripeUnavailable: no answer"
        assert subject.next_attempt_at == NOW + timedelta(seconds=30)
        assert inbox.due_subjects(limit=9, at=NOW + timedelta(seconds=29)) == []

        looks.fetch = works
        inbox.look_at(subject_id, at=NOW + timedelta(seconds=30))
        subject.refresh_from_db()
        assert (subject.attempts, subject.last_error) == (0, "")
        assert looks.applied == ["state 1"]

    def test_waits_twice_as_long_each_time_and_at_most_six_hours(self, looks):
        looks.fetch = self.failing(RuntimeError("bad"))
        subject_id, at = deliver(made_up()), NOW
        pauses = []

        for _ in range(14):
            inbox.look_at(subject_id, at=at)
            due = WebhookSubject.objects.get().next_attempt_at
            pauses.append(due - at)
            at = due

        assert pauses[:4] == [timedelta(seconds=30 * 2**n) for n in range(4)]
        assert pauses[-1] == timedelta(hours=6)

    def test_news_end_the_wait(self, looks):
        looks.fetch, works = self.failing(RuntimeError("bad")), looks.fetch
        subject_id = deliver(made_up(1))
        inbox.look_at(subject_id, at=NOW)
        looks.fetch = works

        deliver(made_up(2), at=NOW + timedelta(seconds=1))
        inbox.look_at(subject_id, at=NOW + timedelta(seconds=1))

        assert looks.applied == ["state 1"]

    def test_of_the_database_leaves_nothing_half_done(self, looks):
        def apply(state: str, *, at) -> str:
            WebhookSubject.objects.update(kind="changed")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")
            return "never"

        looks.apply = apply
        subject_id = deliver(made_up())

        inbox.look_at(subject_id, at=NOW)

        subject = WebhookSubject.objects.get()
        assert subject.kind == "thing"
        assert subject.last_error.startswith("DataError: division by zero")
        assert WebhookEvent.objects.get().handled_at is None


class TestWhatStripeSaid:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE billing_webhookevent SET payload = '{}'",
            "UPDATE billing_webhookevent SET kind = 'other'",
            "DELETE FROM billing_webhookevent",
            "TRUNCATE billing_webhookevent",
        ],
    )
    def test_cannot_be_altered_by_the_application(self, statement):
        deliver(made_up())

        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement)


class TestCheckoutEvents:
    def test_in_any_order_and_number_lead_to_one_grant(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id, card="4000000000000002")
        wire.pay(purchase.stripe_session_id)
        [completed] = wire.events("checkout.session.completed")
        other = completed | {"id": "evt_other", "type": "checkout.session.expired"}

        for order in permutations([completed, completed, other]):
            for event in order:
                inbox.look_at(deliver(event), at=NOW)

        assert available(business) == 1_800
        outcomes = WebhookEvent.objects.order_by("round").values_list("outcome")
        assert [outcome for (outcome,) in outcomes] == ["granted", "settled before"]

    def test_an_expired_page_is_closed(self, wire, business, alice):
        purchase = buy(business, alice)
        wire.at(NOW + timedelta(hours=2))
        [expired] = wire.events("checkout.session.expired")

        inbox.look_at(deliver(expired), at=NOW + timedelta(hours=2))

        purchase.refresh_from_db()
        assert purchase.state == PurchaseState.EXPIRED

    @pytest.mark.parametrize("kind", ["500", "429", "reset"])
    def test_a_silent_stripe_is_asked_again(self, wire, business, alice, kind):
        purchase = buy(business, alice)
        wire.pay(purchase.stripe_session_id)
        [completed] = wire.events("checkout.session.completed")
        wire.fail_next(kind, on="GET", times=3 if kind == "reset" else 1)

        inbox.look_at(deliver(completed), at=NOW)
        assert available(business) == 1_500
        inbox.look_at(WebhookSubject.objects.get().pk, at=NOW + timedelta(minutes=1))

        assert available(business) == 1_800

    def test_each_subscribed_event_has_a_handler(self):
        for event in registry.subscribed_events():
            kind = event.rpartition(".")[0]
            # Some are named by whose they are: customer.subscription, charge.dispute.
            named = (kind, kind.rpartition(".")[2])
            assert any(registry.handler_for(name) for name in named), event

    def test_the_outcome_is_one_that_fits_the_column(self):
        assert max(len(outcome) for outcome in settling.Settlement) <= 40
