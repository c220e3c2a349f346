"""Staff see the tables of billing and change nothing there."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.billing.conftest import buy

pytestmark = pytest.mark.django_db


class TestAdmin:
    @pytest.mark.parametrize(
        "table",
        [
            "plan",
            "planversion",
            "blockoffer",
            "customer",
            "subscription",
            "cycle",
            "planperiod",
            "invoice",
            "planchange",
            "consent",
            "dispute",
            "fraudwarning",
            "purchase",
            "webhooksubject",
            "webhookevent",
        ],
    )
    def test_shows_and_changes_nothing(self, wire, business, alice, client, table):
        buy(business, alice)
        alice.is_staff = alice.is_superuser = True
        alice.save()
        client.force_login(alice)

        listed = client.get(reverse(f"admin:billing_{table}_changelist"))
        added = client.get(reverse(f"admin:billing_{table}_add"))

        assert (listed.status_code, added.status_code) == (200, 403)
