"""What the overview says about how long the credits last."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from billing.views import customer
from credits.models import Wallet
from tests.conftest import NOW
from tests.credits.usage_jobs import line, use

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HEADING = "How long they last"


@pytest.fixture
def wallet(business):
    return Wallet.objects.get(account=business)


@pytest.fixture
def overview(client, alice, monkeypatch):
    """Read the overview of the Business account, whose 1,500 credits came at NOW."""

    def read(at) -> str:
        monkeypatch.setattr(customer, "now", lambda: at)
        client.force_login(alice)
        response = client.get(reverse("billing:overview"))
        return " ".join(response.content.decode().split())

    return read


class TestForecastCard:
    def test_says_nothing_but_that_there_is_no_usage_yet(self, wallet, overview):
        page = overview(NOW + DAY)

        assert HEADING in page
        assert "No usage yet" in page
        assert "a day," not in page

    def test_says_until_when_credits_last(self, wallet, overview):
        use(wallet, line(credits=560), at=NOW + DAY)

        page = overview(NOW + 10 * DAY)

        assert "At the pace of the last 10 days" in page
        assert "About 16 days" in page
        assert "56 credits a day, until about <time" in page
        assert "lapse" not in page

    def test_says_what_will_lapse_unused(self, wallet, overview):
        use(wallet, line(credits=40), at=NOW + DAY)

        page = overview(NOW + 10 * DAY)

        assert "4 credits a day, until they expire on <time" in page
        assert "About 1,256 credits will lapse on <time" in page

    def test_says_when_hardly_anything_is_used(self, wallet, overview):
        use(wallet, line(credits=1), at=NOW + DAY)

        assert "Less than 1 credit a day, until" in overview(NOW + 10 * DAY)

    def test_is_not_there_without_credits(self, wallet, overview):
        use(wallet, line(credits=1_500), at=NOW)

        assert HEADING not in overview(NOW + DAY)
