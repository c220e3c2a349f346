"""What arrives at the webhook's address: believed only when Stripe signed it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import stripe
from django.urls import reverse

from billing import tasks
from billing.models import WebhookEvent, WebhookSubject
from config.clock import now

pytestmark = pytest.mark.django_db
SECRET = "whsec_test"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "api_version": "2026-10-28.endive",
    "livemode": False,
    "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
}


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.STRIPE_SECRET_KEY = "sk_test_wire"


@pytest.fixture
def nudged(monkeypatch):
    """The subjects that a worker was asked to look at."""
    subjects: list[int] = []
    monkeypatch.setattr(
        tasks.look_at, "delay", lambda *, subject_id: subjects.append(subject_id)
    )
    return subjects


def body_of(**changes) -> str:
    return json.dumps(EVENT | changes)


def signature_of(body: str, *, secret=SECRET, age=timedelta()) -> str:
    timestamp = int((now() - age).timestamp())
    return stripe.WebhookSignature.generate_signature_header(body, secret, timestamp)


def post(client, body: str | bytes, signature: str | None = None):
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return client.post(
        reverse("billing:stripe_webhook"),
        body,
        content_type="application/json",
        headers=headers,
    )


def post_signed(client, body: str, **options):
    return post(client, body, signature_of(body, **options))


class TestGenuine:
    def test_is_stored_and_answered(self, client, nudged):
        response = post_signed(client, body_of())

        assert response.status_code == 200
        event = WebhookEvent.objects.get()
        assert (event.stripe_id, event.kind) == ("evt_1", "checkout.session.completed")
        assert event.subject.stripe_object_id == "cs_test_1"
        assert event.payload == EVENT

    def test_asks_a_worker_to_look_after_the_commit(
        self, client, nudged, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            post_signed(client, body_of())

        assert nudged == [WebhookSubject.objects.get().pk]

    def test_is_answered_although_no_broker_is_there(
        self, client, monkeypatch, django_capture_on_commit_callbacks
    ):
        def unreachable(**_):
            raise ConnectionError

        monkeypatch.setattr(tasks.look_at, "delay", unreachable)

        with django_capture_on_commit_callbacks(execute=True):
            response = post_signed(client, body_of())

        assert response.status_code == 200

    def test_twice_is_one_row_and_one_round(self, client, nudged):
        post_signed(client, body_of())
        post_signed(client, body_of())

        assert WebhookEvent.objects.count() == 1
        assert WebhookSubject.objects.get().rounds_due == 1

    def test_two_of_one_object_are_two_rounds(self, client, nudged):
        post_signed(client, body_of())
        post_signed(client, body_of(id="evt_2", type="checkout.session.expired"))

        assert WebhookSubject.objects.get().rounds_due == 2
        rounds = WebhookEvent.objects.values_list("stripe_id", "round")
        assert set(rounds) == {("evt_1", 1), ("evt_2", 2)}

    def test_of_a_kind_that_means_nothing_here_is_stored_too(self, client, nudged):
        balance = {"object": {"object": "balance", "available": []}}

        response = post_signed(client, body_of(type="balance.available", data=balance))

        assert response.status_code == 200
        assert WebhookSubject.objects.get().stripe_object_id == "evt_1"

    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_may_be_five_minutes_away(self, client, nudged, seconds):
        response = post_signed(client, body_of(), age=timedelta(seconds=seconds))

        assert response.status_code == 200

    def test_needs_no_csrf_token(self, nudged):
        from django.test import Client

        response = post_signed(Client(enforce_csrf_checks=True), body_of())

        assert response.status_code == 200


class TestSecretRoll:
    def test_both_secrets_are_right_while_one_replaces_the_other(
        self, client, nudged, settings
    ):
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]

        answers = [
            post_signed(client, body_of(id=f"evt_{secret}"), secret=secret).status_code
            for secret in ("whsec_old", "whsec_new")
        ]

        assert answers == [200, 200]

    def test_two_signatures_in_one_header_need_one_that_is_right(self, client, nudged):
        body = body_of()
        old, new = signature_of(body, secret="whsec_old"), signature_of(body)

        response = post(client, body, f"{old},{new.partition(',')[2]}")

        assert response.status_code == 200

    def test_the_old_one_is_wrong_afterwards(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new"]

        response = post_signed(client, body_of(), secret="whsec_old")

        assert response.status_code == 400


def _without(*path: str) -> str:
    event = json.loads(json.dumps(EVENT))
    target = event
    for name in path[:-1]:
        target = target[name]
    del target[path[-1]]
    return json.dumps(event)


SIGNED_NONSENSE = {
    "not JSON": "<html>",
    "empty": "",
    "an array": json.dumps([EVENT]),
    "a string": '"evt_1"',
    "null": "null",
    "too deep": "[" * 100_000,
    "a thin event": body_of(object="v2.core.event"),
    "a cloud envelope": json.dumps({"detail": EVENT, "source": "aws.partner"}),
    "live": body_of(livemode=True),
    "neither live nor not": body_of(livemode=None),
    "of another account": body_of(account="acct_other"),
    "without an id": _without("id"),
    "without a type": _without("type"),
    "without an object": _without("data", "object"),
    "without the object's type": _without("data", "object", "object"),
    "an id that is no text": body_of(id=["evt_1"]),
    "an id beyond all bounds": body_of(id="e" * 1_000),
    "characters that no database stores": body_of(type="a\0b"),
    "half a character": body_of(pending="\ud800"),
    "a number that is none": '{"pending": NaN, ' + body_of()[1:],
}


class TestAbuse:
    """reliability.md, row 10: refused, no row, and never a failure of ours."""

    def refused(self, response, status=400) -> bool:
        assert not WebhookEvent.objects.exists()
        assert not WebhookSubject.objects.exists()
        return response.status_code == status

    @pytest.mark.parametrize("name", SIGNED_NONSENSE)
    def test_signed_nonsense(self, client, name):
        assert self.refused(post_signed(client, SIGNED_NONSENSE[name]))

    def test_no_signature(self, client):
        assert self.refused(post(client, body_of()))

    def test_another_secret(self, client):
        assert self.refused(post_signed(client, body_of(), secret="whsec_other"))

    @pytest.mark.parametrize("seconds", [301, -301, 10 * 365 * 86_400, -315_360_000])
    def test_out_of_time(self, client, seconds):
        response = post_signed(client, body_of(), age=timedelta(seconds=seconds))

        assert self.refused(response)

    def test_a_time_beyond_all_calendars(self, client):
        body = body_of()
        signature = stripe.WebhookSignature.generate_signature_header(
            body, SECRET, 10**30
        )

        assert self.refused(post(client, body, signature))

    def test_only_an_old_scheme(self, client):
        signature = signature_of(body_of()).replace("v1=", "v0=")

        assert self.refused(post(client, body_of(), signature))

    @pytest.mark.parametrize(
        "signature", ["", "t=,v1=", "t=1", "v1=abc", "=,=,=", "t=x,v1=y", "é" * 10]
    )
    def test_a_header_that_makes_no_sense(self, client, signature):
        assert self.refused(post(client, body_of(), signature))

    def test_a_body_that_was_cut(self, client):
        assert self.refused(post(client, body_of()[:-9], signature_of(body_of())))

    def test_a_body_that_was_added_to(self, client):
        assert self.refused(post(client, body_of() + " ", signature_of(body_of())))

    def test_bytes_that_are_no_text(self, client):
        assert self.refused(post(client, b"\xff\xfe\x00", signature_of(body_of())))

    def test_two_megabytes(self, client):
        body = body_of(pending="x" * 2_000_000)

        assert self.refused(post_signed(client, body), status=413)

    def test_reading(self, client):
        response = client.get(reverse("billing:stripe_webhook"))

        assert self.refused(response, status=405)

    def test_nothing_is_there_without_a_secret(self, client, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []

        assert self.refused(post_signed(client, body_of()), status=404)

    @pytest.mark.parametrize("secret", ["", " "])
    def test_a_blank_secret_opens_nothing(self, client, settings, secret):
        settings.STRIPE_WEBHOOK_SECRETS = [secret]

        assert self.refused(post_signed(client, body_of(), secret=secret))
