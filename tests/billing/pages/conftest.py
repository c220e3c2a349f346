"""Who looks at the pages of billing, and when."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib import messages
from django.contrib.messages import get_messages
from django.db.models import Max
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Role
from accounts.roles import StaffPermission
from billing.views import changes, customer, plan, purchases, reload
from tests.billing.conftest import on_plan
from tests.conftest import NOW
from tests.factories import make_member


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    """The pages read the clock of the tests."""
    for views in (changes, customer, plan, purchases, reload):
        monkeypatch.setattr(views, "now", lambda: NOW)


@pytest.fixture(autouse=True)
def _staff_writes_are_written_down(monkeypatch):
    """Whoever of the staff is told that it is done finds one audit event of it."""
    post = Client.post

    def watched(self, *args, **kwargs):
        before = max_pk()
        response = post(self, *args, **kwargs)
        if is_done_by_staff(response):
            user = response.wsgi_request.user
            events = AuditEvent.objects.filter(pk__gt=before, actor_id=user.pk)
            [event] = events.exclude(action="access.denied")
            assert event.actor == user.email
            assert event.target or event.account_id
            assert event.before or event.after or event.reason
            assert event.request_id
        return response

    monkeypatch.setattr(Client, "post", watched)


def max_pk() -> int:
    return AuditEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def is_done_by_staff(response) -> bool:
    view = response.resolver_match and response.resolver_match.func
    is_of_staff = isinstance(getattr(view, "permission", None), StaffPermission)
    if not is_of_staff or response.status_code != 303:
        return False
    told = get_messages(response.wsgi_request)
    return any(message.level == messages.SUCCESS for message in told._queued_messages)


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
