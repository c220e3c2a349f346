"""What the tests of credits share: published rates, and callers of the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts import keys
from accounts.models import Scope
from credits import quoting, rate_cards
from tests.breaking import broken
from tests.conftest import NOW
from tests.credits.faults import FAULTS


def pytest_generate_tests(metafunc):
    """Let a test pass as it is and, in full runs, fail by each of its faults."""
    module = metafunc.module.__name__.rpartition(".")[2]
    faults = FAULTS.get(module, {}).get(metafunc.function.__qualname__)
    if faults:
        whole = pytest.param(None, id=pytest.HIDDEN_PARAM)
        full = [pytest.param(fault, marks=pytest.mark.full) for fault in faults]
        metafunc.fixturenames.append("fault")
        metafunc.parametrize("fault", [whole, *full], ids=" ".join)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    callspec = getattr(pyfuncitem, "callspec", None)
    fault = callspec and callspec.params.get("fault")
    if not fault:
        return (yield)
    with broken(*fault), pytest.raises(BaseException):  # noqa: B017, PT011
        yield
    return True


@pytest.fixture(autouse=True)
def _forget_rates():
    """Cards are cached for good (R96); each test has a database of its own."""
    quoting.rate_table.cache_clear()
    quoting._published.cache_clear()


@pytest.fixture
def rates(db):
    """The rate card of the file, published."""
    for card in rate_cards.read():
        rate_cards.publish(card, at=NOW)


class Caller:
    """A program with a service key."""

    def __init__(self, token: str):
        self.token = token
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def get(self, path: str, **query):
        return self.client.get(f"/api/v1{path}", query)

    def post(self, path: str, body, *, key: str | None = None, **options):
        headers = {} if key is None else {"idempotency-key": key}
        return self.client.post(
            f"/api/v1{path}",
            body,
            content_type=options.pop("content_type", "application/json"),
            headers=headers | options,
        )


@pytest.fixture
def caller_for(db):
    """Makes callers: of one account or, without one, the operator's."""

    def make(account=None, scopes=tuple(Scope)) -> Caller:
        issued = keys.issue(name="Renderer", scopes=scopes, account=account, at=NOW)
        return Caller(issued.secret)

    return make


class Clock:
    """The clock of every edge, standing still at NOW until it is moved."""

    def __init__(self):
        self.at = NOW

    def advance(self, by: timedelta) -> None:
        self.at += by


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.at)
    return clock
