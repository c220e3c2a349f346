"""Every address by everybody who may come there, with every method.

Each address is visited as it is: with things that do not exist, and with empty forms.
Whoever may not is refused before either is looked at, and leaves nothing behind.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver

from accounts import keys
from accounts.models import AuditEvent, Role, Scope
from accounts.roles import StaffGroup, may, staff_may
from billing.plans import catalogue
from credits import rate_cards
from tests.architecture.addresses import (
    ADDRESSES,
    MEMBERS,
    OF_MEMBERS,
    OF_STAFF,
    OURS,
    PERMISSIONS,
    SIGNED_IN,
    STAFF_ONLY,
    THEIRS,
    VISITORS,
    has_thing,
    method_of,
    methods_of,
    signed_in,
    url_of,
)
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_staff, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READING, WRITING = {"GET", "HEAD"}, {"POST"}
# What is asked and answered at one address.
BOTH = {
    "accounts:create_key",
    "accounts:invitation",
    "accounts:new_account",
    "accounts:remove_member",
    "accounts:revoke_key",
    "billing:confirm_reload",
    "billing:remove_card",
    "billing:staff_add_rate",
    "billing:staff_draft_rate",
    "credits:set_each_cap",
    "credits:set_member_cap",
    "credits:unsubscribe",
}
# What these are about is in their form or query, or is what the account has not.
NAMES_IN_FORM = {
    "accounts:join",
    "accounts:switch",
    "billing:finance_rows",
    "billing:payment_details",
}
LOGIN, CONSOLE = "to sign-in", "to the console"
REFUSED, HIDDEN, IN, NO_METHOD = "refused", "hidden", "in", "no such method"
# Where a refusal may leave traces: the trail of who was denied what, and sessions.
TRACES = ("accounts_auditevent", "django_session")


@dataclass(frozen=True)
class Visitor:
    """Somebody before an address: what happens depends on these three."""

    client: Client
    role: Role | None = None
    groups: tuple[StaffGroup, ...] | None = None

    def expects(self, name: str) -> str:
        if name in VISITORS:
            return IN
        if self.role is None and self.groups is None:
            return LOGIN
        return self._of_staff(name) if name in OF_STAFF else self._of_members(name)

    def _of_staff(self, name: str) -> str:
        if self.groups is None:
            return HIDDEN
        return IN if staff_may(self.groups, OF_STAFF[name]) else REFUSED

    def _of_members(self, name: str) -> str:
        if name in SIGNED_IN:
            return IN
        if self.role is None:
            return CONSOLE
        return IN if name in MEMBERS or may(self.role, OF_MEMBERS[name]) else REFUSED


def anonymous() -> Visitor:
    return Visitor(Client())


def service_key() -> Visitor:
    """A program: its key opens the API, and no page."""
    issued = keys.issue(
        name="Backend", scopes=Scope.values, account=make_account(), at=NOW
    )
    return Visitor(Client(headers={"authorization": f"Bearer {issued.secret}"}))


def member(role: Role) -> Visitor:
    return Visitor(signed_in(make_member(make_account(), role)), role=role)


def staff(*groups: StaffGroup) -> Visitor:
    return Visitor(signed_in(make_staff(*groups)), groups=groups)


VISIT = {
    "anonymous": anonymous,
    "service key": service_key,
    **{f"member {role}": lambda role=role: member(role) for role in Role},
    **{group.value: lambda group=group: staff(group) for group in StaffGroup},
    "staff of no group": staff,
}


@pytest.fixture
def offered(db):
    """The catalogue and the rates, which pages read."""
    catalogue.publish(catalogue.read(), currency="usd")
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)


@contextmanager
def undone() -> Iterator[list[str]]:
    """Take back what is done within, and yield what was written."""
    written: list[str] = []

    def notice(execute, sql, params, many, context):
        is_write = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if is_write and not any(f'"{table}"' in sql for table in TRACES):
            written.append(sql)
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.execute_wrapper(notice):
        yield written
        transaction.set_rollback(True)


def answer(response) -> str:
    """Return what a response means for whoever asked."""
    url = response.get("Location", "")
    if response.status_code == 302 and url.startswith("/accounts/login/?next=/"):
        return LOGIN
    if response.status_code == 302 and url == "/staff/":
        return CONSOLE
    return {403: REFUSED, 404: HIDDEN, 405: NO_METHOD}.get(
        response.status_code, IN if response.status_code < 500 else "broken"
    )


def expected(visitor: Visitor, name: str, method: str, allowed: set[str]) -> set[str]:
    expects = visitor.expects(name)
    if method not in allowed:
        return {NO_METHOD, expects} - {IN}
    # A thing that does not exist is not found, by those who might have seen it.
    names_thing = has_thing(name) or name in NAMES_IN_FORM
    return {IN, HIDDEN} if expects == IN and names_thing else {expects}


class TestEachAddress:
    def test_asks_for_a_permission_or_is_listed(self):
        assert set(ADDRESSES) - set(PERMISSIONS) == VISITORS | SIGNED_IN | MEMBERS

    def test_is_in_an_app_of_ours_or_below_what_is_listed(self):
        others = [
            str(resolver.pattern)
            for resolver in get_resolver().url_patterns
            if getattr(resolver, "app_name", "") not in OURS
        ]

        assert sorted(others) == sorted(THEIRS)

    def test_below_staff_and_finance_asks_for_a_permission_of_staff(self):
        below = {name for name in ADDRESSES if url_of(name).startswith(STAFF_ONLY)}

        assert below == set(OF_STAFF)

    def test_reads_or_writes(self):
        """What does both is a form at the address of its answer, and listed."""
        others = {
            name: methods - {"HEAD"}
            for name in ADDRESSES
            if (methods := methods_of(name)) not in (READING, WRITING)
        }

        assert others == {name: {"GET", "POST"} for name in BOTH}

    @pytest.mark.parametrize("visitor", VISIT)
    def test_lets_in_whom_it_should(self, offered, visitor):
        visitor = VISIT[visitor]()
        wrong = []
        for name in ADDRESSES:
            allowed, url = methods_of(name), url_of(name)
            for method in METHODS:
                with undone() as written:
                    found = answer(visitor.client.generic(method, url))
                wants = expected(visitor, name, method, allowed)
                if found not in wants or (IN not in wants and written):
                    wrong.append((method, name, found, wants, written))

        assert wrong == []


class TestEachAddressOfStaff:
    def test_of_an_unknown_thing_is_not_found(self, offered):
        """By those who may do everything, and only by those."""
        ada = signed_in(make_user(is_staff=True, is_superuser=True))
        names = [name for name in OF_STAFF if has_thing(name)]
        wrong = []
        for name in names:
            method = method_of(name)
            with undone():
                response = ada.generic(method, url_of(name))
            if response.status_code != 404:
                wrong.append((name, response.status_code))

        assert wrong == []


class TestEachDenial:
    @pytest.mark.parametrize("visitor", ["member MEMBER", "staff of no group"])
    def test_is_written_down_once(self, offered, visitor):
        visitor = VISIT[visitor]()
        denied = [n for n in PERMISSIONS if visitor.expects(n) in {HIDDEN, REFUSED}]
        wrong = []
        for name in denied:
            method, before = method_of(name), AuditEvent.objects.count()
            visitor.client.generic(method, url_of(name))
            event = AuditEvent.objects.latest("pk")
            said = (event.action, event.target, event.after)
            told = {"permission": PERMISSIONS[name].value}
            wants = ("access.denied", f"{method} {url_of(name)}", told)
            if AuditEvent.objects.count() != before + 1 or said != wants:
                wrong.append((name, said))

        assert len(denied) > 20
        assert wrong == []
