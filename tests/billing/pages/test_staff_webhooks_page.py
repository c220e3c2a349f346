"""The desk of outgoing webhooks in a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.roles import StaffGroup
from billing.models import (
    TEST_KIND,
    Delivery,
    DeliveryAttempt,
    OutgoingKind,
    OutgoingMessage,
    WebhookEndpoint,
)
from billing.outgoing import endpoints, facts, signing
from billing.views import staff_webhooks
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_account, make_staff

URL = "https://backend.example/hooks"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    monkeypatch.setattr(staff_webhooks, "now", lambda: NOW)


@pytest.fixture
def admin(client):
    client.force_login(make_staff(StaffGroup.ADMIN))
    return client


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return endpoints.add(url=URL, kinds=OutgoingKind.values, by=None, at=NOW)


def send(browser, name: str, *args, **form):
    return browser.post(reverse(f"billing:{name}", args=args), form)


class TestAdd:
    def test_shows_the_secret_once(self, admin):
        answer = send(
            admin, "staff_webhook_add", url=URL, kinds=["plan.changed", "balance.low"]
        )

        endpoint = WebhookEndpoint.objects.get()
        secret = signing.current_secret(endpoint)
        assert secret in answer.content.decode()
        assert secret not in get(admin, "staff_webhook", endpoint.public_id)
        assert URL in get(admin, "staff_webhooks")

    def test_twice_says_that_it_is_there(self, admin, endpoint):
        answer = send(admin, "staff_webhook_add", url=URL, kinds=["plan.changed"])

        assert answer.status_code == 422
        assert "told already" in answer.content.decode()

    def test_refuses_an_unsafe_address(self, admin):
        answer = send(
            admin, "staff_webhook_add", url="http://a.example", kinds=["plan.changed"]
        )

        assert answer.status_code == 422
        assert not WebhookEndpoint.objects.exists()


class TestEndpoint:
    def test_rolls_its_secret_once_a_day(self, admin, endpoint):
        shown = send(admin, "staff_webhook_roll", endpoint.public_id)
        send(admin, "staff_webhook_roll", endpoint.public_id)

        endpoint.refresh_from_db()
        assert endpoint.secret_number == 2
        assert signing.current_secret(endpoint) in shown.content.decode()
        assert "less than a day ago" in get(admin, "staff_webhook", endpoint.public_id)

    def test_is_disabled_enabled_and_removed(self, admin, endpoint):
        send(admin, "staff_webhook_disable", endpoint.public_id, reason="Moving.")
        assert "Moving." in get(admin, "staff_webhook", endpoint.public_id)
        send(admin, "staff_webhook_enable", endpoint.public_id)
        assert "Active" in get(admin, "staff_webhook", endpoint.public_id)

        unsure = send(admin, "staff_webhook_remove", endpoint.public_id)
        assert unsure.status_code == 422
        send(admin, "staff_webhook_remove", endpoint.public_id, is_sure="on")

        gone = admin.get(reverse("billing:staff_webhook", args=[endpoint.public_id]))
        assert gone.status_code == 404

    def test_is_tried_out_at_once_and_says_how_it_went(self, admin):
        # Where nobody listens.
        silent = endpoints.add(
            url="http://127.0.0.1:9/", kinds=["plan.changed"], by=None, at=NOW
        )

        send(admin, "staff_webhook_test", silent.public_id)
        page = get(admin, "staff_webhook", silent.public_id)

        assert "The test did not arrive: ConnectionRefusedError" in page
        assert "webhook.test" in page
        assert "Given up" in page
        assert "Send again" not in page

    def test_is_not_tried_out_twice_at_once(self, admin, endpoint):
        sending_now = OutgoingMessage.objects.create(
            key="test", kind=TEST_KIND, body="{}", occurred_at=NOW
        )
        Delivery.objects.create(message=sending_now, endpoint=endpoint)

        send(admin, "staff_webhook_test", endpoint.public_id)

        page = get(admin, "staff_webhook", endpoint.public_id)
        assert "A test went there a moment ago." in page
        assert not DeliveryAttempt.objects.exists()

    def test_shows_its_log_and_sends_again(self, admin, endpoint):
        facts.tell_reload_failed(make_account(), reload_id=1, reason="lost", at=NOW)
        delivery = Delivery.objects.get()
        DeliveryAttempt.objects.create(
            delivery=delivery, at=NOW, status=503, took_ms=12
        )
        Delivery.objects.update(next_attempt_at=None)
        page = get(admin, "staff_webhook", endpoint.public_id)
        assert "503 (12 ms)" in page
        assert "Given up" in page

        send(admin, "staff_webhook_replay", endpoint.public_id, delivery.pk)

        delivery.refresh_from_db()
        assert delivery.next_attempt_at == NOW
