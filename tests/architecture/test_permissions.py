"""Every address of the portal by everybody who may come there, read off the URLconf.

Each address is visited as it is: with things that do not exist, and with empty forms.
Whoever may not is refused before either is looked at.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from accounts.models import AuditEvent, Role
from accounts.roles import (
    Permission,
    StaffGroup,
    StaffPermission,
    may,
    staff_may,
)
from billing import catalogue
from credits import rate_cards
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_staff, make_user

# Addresses that ask for no permission: whom they are for instead.
VISITORS = {
    "accounts:invitation",
    "accounts:theme",
    "billing:stripe_webhook",  # Stripe, by its signature
    "credits:unsubscribe",
}
SIGNED_IN = {"accounts:join", "accounts:new_account", "accounts:switch"}
MEMBERS = {
    "accounts:save_profile",
    "accounts:settings",
    "accounts:team",
    "accounts:zone_today",
}
OURS = ("accounts", "billing", "credits")
SOMETHING = {"int": 4_000_000, "slug": "none-such", "string": "none-such"}


def addresses() -> dict[str, URLPattern]:
    """Return the addresses of our own apps by their names."""
    return {
        f"{resolver.app_name}:{pattern.name}": pattern
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "app_name", "") in OURS
        for pattern in resolver.url_patterns
    }


ADDRESSES = addresses()
PERMISSIONS = {
    name: pattern.callback.permission
    for name, pattern in ADDRESSES.items()
    if hasattr(pattern.callback, "permission")
}
OF_MEMBERS = {n: p for n, p in PERMISSIONS.items() if isinstance(p, Permission)}
OF_STAFF = {n: p for n, p in PERMISSIONS.items() if isinstance(p, StaffPermission)}


def url_of(name: str) -> str:
    converters = ADDRESSES[name].pattern.converters
    things = {
        argument: SOMETHING[type(converter).__name__.removesuffix("Converter").lower()]
        for argument, converter in converters.items()
    }
    return reverse(name, kwargs=things)


def visit(client: Client, name: str):
    """Read the address or, if it only takes forms, send an empty one."""
    read = client.get(url_of(name))
    return client.post(url_of(name)) if read.status_code == 405 else read


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def offered(db):
    """The catalogue and the rates, which pages read."""
    catalogue.publish(catalogue.read(), currency="usd")
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)


class TestEachAddress:
    def test_asks_for_a_permission_or_is_listed(self):
        assert set(ADDRESSES) - set(PERMISSIONS) == VISITORS | SIGNED_IN | MEMBERS

    def test_below_staff_asks_for_a_permission_of_staff(self):
        below = {name for name in ADDRESSES if url_of(name).startswith("/staff/")}

        assert below == set(OF_STAFF)

    def test_of_staff_that_moves_money_asks_for_the_second_factor(self):
        moving = {
            name
            for name, permission in OF_STAFF.items()
            if permission is StaffPermission.MOVE_MONEY
        }

        assert {n for n in moving if not ADDRESSES[n].callback.is_fresh} == set()

    @pytest.mark.parametrize("name", sorted(set(ADDRESSES) - VISITORS))
    def test_asks_visitors_to_sign_in(self, db, client, name):
        response = visit(client, name)

        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/?next=/")


class TestEachAddressOfMembers:
    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize("name", sorted(OF_MEMBERS))
    def test_opens_to_the_roles_that_may(self, offered, name, role):
        client = signed_in(make_member(make_account(), role))

        response = visit(client, name)

        assert (response.status_code != 403) == may(role, OF_MEMBERS[name])

    @pytest.mark.parametrize("name", sorted(OF_MEMBERS))
    def test_leads_staff_without_an_account_to_their_console(self, offered, name):
        response = visit(signed_in(make_staff(*StaffGroup)), name)

        assert (response.status_code, response.url) == (302, "/staff/")


class TestEachAddressOfStaff:
    @pytest.mark.parametrize("group", StaffGroup)
    @pytest.mark.parametrize("name", sorted(OF_STAFF))
    def test_opens_to_the_groups_that_may(self, offered, name, group):
        response = visit(signed_in(make_staff(group)), name)

        assert (response.status_code != 403) == staff_may([group], OF_STAFF[name])

    @pytest.mark.parametrize("name", sorted(OF_STAFF))
    def test_does_not_exist_for_an_owner(self, offered, name):
        response = visit(signed_in(make_member(make_account(), Role.OWNER)), name)

        assert response.status_code == 404
        assert AuditEvent.objects.filter(action="access.denied").count() == 1

    @pytest.mark.parametrize("name", sorted(OF_STAFF))
    def test_is_closed_to_staff_of_no_group(self, offered, name):
        assert visit(signed_in(make_staff()), name).status_code == 403

    @pytest.mark.parametrize("name", sorted(OF_STAFF))
    def test_of_an_unknown_thing_is_not_found(self, offered, name):
        ada = make_user(is_staff=True, is_superuser=True)

        response = visit(signed_in(ada), name)

        has_thing = bool(ADDRESSES[name].pattern.converters)
        assert (response.status_code == 404) == has_thing
