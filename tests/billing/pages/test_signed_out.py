"""Pages of billing are for people who signed in."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


class TestSignedOut:
    @pytest.mark.parametrize("name", ["overview", "plan", "add_ons", "purchases"])
    def test_leads_to_the_sign_in_page(self, client, name):
        response = client.get(reverse(f"billing:{name}"))

        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))
