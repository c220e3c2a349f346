"""People with fixed meanings.

Alice owns, adam administers, bill pays, bob is a member; carol owns another account.
"""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership, Role
from tests.factories import make_account, make_member


@pytest.fixture
def account(db):
    return make_account()


@pytest.fixture
def alice(account):
    return make_member(account, Role.OWNER, "alice@example.com")


@pytest.fixture
def adam(account):
    return make_member(account, Role.ADMIN, "adam@example.com")


@pytest.fixture
def bill(account):
    return make_member(account, Role.BILLING, "bill@example.com")


@pytest.fixture
def bob(account):
    return make_member(account, Role.MEMBER, "bob@example.com")


@pytest.fixture
def carol(db):
    return make_member(make_account("Contoso"), Role.OWNER, "carol@example.com")


@pytest.fixture
def membership(account):
    """Return the membership of a user in the account."""

    def of(user):
        return Membership.objects.get(account=account, user=user)

    return of


@pytest.fixture
def as_user():
    """Return a browser in which a user is signed in."""

    def browser(user):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser
