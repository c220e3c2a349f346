"""Where webhooks go: safe addresses, and secrets that the database hides."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from billing.models import Delivery, WebhookEndpoint
from billing.outgoing import endpoints, signing
from billing.outgoing.endpoints import AddressRefused
from tests.billing.backends import happen, send_all
from tests.billing.plans import DAY
from tests.conftest import NOW
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://backend.example/hooks",
            "ftp://backend.example/hooks",
            "https://user@backend.example/",
            "https://backend.example/#part",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/",
            "https://",
            "//backend.example",
            "https://backend.example:port/",
        ],
    )
    def test_that_is_unsafe_is_refused(self, url):
        with pytest.raises(AddressRefused):
            endpoints.add(url=url, kinds=["balance.low"], by=None, at=NOW)

        assert not WebhookEndpoint.objects.exists()

    def test_of_this_machine_needs_tls_in_production(self, settings):
        endpoints.require_safe("http://127.0.0.1:9000/")
        settings.IS_PRODUCTION = True

        with pytest.raises(AddressRefused, match="https://"):
            endpoints.require_safe("http://127.0.0.1:9000/")

    def test_is_told_once(self, endpoint, backend):
        with pytest.raises(AddressRefused, match="told already"):
            endpoints.add(url=backend.url, kinds=["balance.low"], by=None, at=NOW)

        endpoints.remove(endpoint, by=make_user(), at=NOW)
        endpoints.add(url=backend.url, kinds=["balance.low"], by=None, at=NOW)

    def test_that_is_removed_hears_no_more(self, backend, endpoint):
        happen()

        endpoints.remove(endpoint, by=make_user(), at=NOW)

        assert send_all(NOW + DAY) == 0
        assert not Delivery.objects.exclude(next_attempt_at=None).exists()


class TestCommand:
    def test_adds_an_endpoint_and_shows_its_secret(self, capsys):
        call_command(
            "add_webhook_endpoint", "https://backend.example/hooks", "balance.low"
        )

        endpoint = WebhookEndpoint.objects.get()
        assert signing.current_secret(endpoint) in capsys.readouterr().out
        assert endpoint.kinds == ["balance.low"]


class TestDatabase:
    def test_holds_no_secret(self, endpoint):
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(e)::text FROM billing_webhookendpoint AS e")
            [row] = cursor.fetchone()

        secret = signing.current_secret(endpoint).removeprefix("whsec_")
        assert secret not in row
