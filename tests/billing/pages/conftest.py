"""Who looks at the pages of billing, and when."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.views import changes, customer, plan, purchases, reload
from tests.billing.conftest import on_plan
from tests.conftest import NOW
from tests.factories import make_member


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    """The pages read the clock of the tests."""
    for views in (changes, customer, plan, purchases, reload):
        monkeypatch.setattr(views, "now", lambda: NOW)


@pytest.fixture
def browser(client, alice):
    """The owner of the Business account, signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def as_role(client, business):
    """Sign somebody in with a role in the Business account."""

    def sign_in(role: Role):
        client.force_login(make_member(business, role))
        return client

    return sign_in


@pytest.fixture
def as_owner_on(client, offered):
    """Sign in the owner of an account on a plan."""

    def sign_in(plan: str):
        client.force_login(make_member(on_plan(plan), Role.OWNER))
        return client

    return sign_in


def get(browser, name: str, *args, **query) -> str:
    response = browser.get(reverse(f"billing:{name}", args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def form(**changes) -> dict[str, str]:
    return {"blocks": "3", "offer": "1", "form_key": uuid4().hex, **changes}
