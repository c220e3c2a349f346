"""The short way for debits answers as the endpoint does, or lets it (ADR 31)."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import (
    OperationalError,
    close_old_connections,
    connection,
    connections,
)
from django.http import UnreadablePostError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import keys
from accounts.models import Role, Scope
from config import wsgi
from credits import ledger
from credits.api import plain_debits
from credits.api.plain_debits import PlainDebits
from credits.models import GrantSource, LedgerEntry, Wallet, WalletUnit
from credits.signals import balance_changed
from tests.conftest import NOW
from tests.credits.two_ways import ACCOUNT, JOB, LOOK, PATH, Django, Way, Ways, undone
from tests.factories import make_account, make_member, make_user, make_wallet

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("rates")

MEMBER = "ann@northwind.example"
POOL = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]


@pytest.fixture
def wallet(db) -> Wallet:
    account = make_account("Northwind", public_id=ACCOUNT)
    make_member(account, Role.MEMBER, MEMBER)
    wallet = make_wallet(account, {"a": (100, None)}, way_forward="Buy credits.")
    premium_id = ledger.open_wallet(
        account_id=account.pk, unit=WalletUnit.PREMIUM, at=NOW
    )
    ledger.set_terms(
        wallet_id=premium_id,
        spending_block=None,
        way_forward="",
        cycle_starts_at=None,
        cycle_ends_at=None,
    )
    ledger.grant(
        wallet_id=premium_id,
        source=GrantSource.PACK,
        source_key="legacy:P",
        credits=50,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=None,
        actor="test",
        at=NOW,
    )
    return wallet


@pytest.fixture
def issued(wallet):
    return keys.issue(
        name="Renderer", scopes=tuple(Scope), account=wallet.account, at=NOW
    )


@pytest.fixture
def ways(issued, clock) -> Iterator[Ways]:
    # As Django's own test client does: the test's transaction is on this connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Ways(issued.secret)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def job(**members):
    return JOB | members


PLAIN = {
    "as small as can be": ((), {}),
    "with a reference": ((job(reference="仕事 7 🎬"),), {}),
    "of no member": ((job(member=None, ran_at=None),), {}),
    "of many lines": (
        (job(lines=[LOOK, {"feature": "avatar-iv", "quantity": 9}]),),
        {},
    ),
    "of one feature twice": ((job(lines=[LOOK, LOOK]),), {}),
    "in premium credits": ((job(unit="premium"),), {}),
    "with a number as JSON has it": (
        (
            b'{"account": "%s", "lines": [{"feature": "look", "quantity": 1.0}]}'
            % ACCOUNT.encode(),
        ),
        {},
    ),
    "with a charset": ((), {"CONTENT_TYPE": "application/json; charset=utf-8"}),
    "with a scheme in small letters": ((), {"scheme": "bearer"}),
    "through a proxy": ((), {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}),
    "with an id of its own": ((), {"HTTP_X_REQUEST_ID": "made up"}),
}

OTHER = {
    "names a member": ((job(member=MEMBER),), {}),
    "names a stranger": ((job(member="carol@elsewhere.example"),), {}),
    "ran before": ((job(ran_at="2026-03-10T11:59:59Z"),), {}),
    "ran before there were rates": ((job(ran_at="2020-01-01T00:00:00Z"),), {}),
    "has no rate": ((job(lines=[{"feature": "hologram", "quantity": 1}]),), {}),
    "is of nobody": ((job(account="acc_nobody"),), {}),
    "is of no name": ((job(account="Northwind"),), {}),
    "is too dear": ((job(lines=[{"feature": "look", "quantity": 101}]),), {}),
    "counts nothing": ((job(lines=[{"feature": "look", "quantity": 0}]),), {}),
    "costs more than can be counted": (
        (job(lines=[{"feature": "veo-3", "quantity": 10**12}]),),
        {},
    ),
    "has no lines": ((job(lines=[]),), {}),
    "says more than is known": ((job(color="red"),), {}),
    "is a list": (([JOB],), {}),
    "is no JSON": ((b"{",), {}),
    "is no text": ((b"\xff\xfe",), {}),
    "is nested too deep": ((b"[" * 5_000,), {}),
    "is empty": ((b"",), {}),
    "is long": ((job(reference="x" * 70_000),), {}),
    "is too long": ((job(reference="x" * 3_000_000),), {}),
    "is of another type": ((), {"CONTENT_TYPE": "text/plain"}),
    "is of no type": ((), {"CONTENT_TYPE": None}),
    "has no length": ((), {"CONTENT_LENGTH": None}),
    "has no number for a length": ((), {"CONTENT_LENGTH": "many"}),
    "has no key": ((), {"HTTP_IDEMPOTENCY_KEY": None}),
    "has an empty key": ((), {"HTTP_IDEMPOTENCY_KEY": ""}),
    "has a key that is too long": ((), {"HTTP_IDEMPOTENCY_KEY": "k" * 101}),
    "has a key of other letters": ((), {"HTTP_IDEMPOTENCY_KEY": "k\xe9"}),
    "names no service key": ((), {"HTTP_AUTHORIZATION": None}),
    "names what is no service key": ((), {"HTTP_AUTHORIZATION": "Bearer prsr_no"}),
    "signs in by another scheme": ((), {"HTTP_AUTHORIZATION": "Basic eDp5"}),
    "is to another host": ((), {"HTTP_HOST": "elsewhere.example"}),
    "is to no host": ((), {"HTTP_HOST": "a b"}),
    "has a query": ((), {"QUERY_STRING": "a=1"}),
    "is for another method": ((), {"REQUEST_METHOD": "PUT"}),
    "comes from a script": ((), {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}),
    "is below a prefix": ((), {"SCRIPT_NAME": "/prefix"}),
    "is for another address": ((), {"PATH_INFO": f"{PATH}/"}),
}


def cases(named):
    return pytest.mark.parametrize(
        ("sent", "head"), [pytest.param(*case, id=name) for name, case in named.items()]
    )


class TestPlainDebit:
    @cases(PLAIN)
    def test_is_answered_as_by_the_endpoint(self, ways, issued, sent, head):
        if scheme := head.get("scheme"):
            head = {"HTTP_AUTHORIZATION": f"{scheme} {issued.secret}"}

        answer = ways.ask(*sent, **head)

        assert answer.status == "201 Created"
        assert ways.was_short

    def test_asks_the_database_twice(self, ways, django_assert_num_queries):
        with django_assert_num_queries(2):
            ways.plain.ask(ways.request())

    def test_begins_and_ends_like_any_request(self, ways):
        heard = []

        def hear(signal, **_):
            heard.append(signal)

        for signal in (request_started, request_finished):
            signal.connect(hear)

        ways.plain.ask(ways.request())

        assert heard == [request_started, request_finished]

    def test_notes_when_its_key_was_used(self, ways, issued, clock):
        clock.advance(timedelta(minutes=5))

        ways.plain.ask(ways.request())

        issued.key.refresh_from_db()
        assert issued.key.last_used_at == clock.at

    def test_is_counted_by_the_rate_limit(self, ways, settings):
        settings.API_REQUESTS_PER_MINUTE = 3  # with the one that taught it

        answers = [ways.plain.ask(ways.request(key=f"{n}")) for n in range(3)]

        statuses = [answer.status.partition(" ")[0] for answer in answers]
        assert statuses == ["201", "201", "429"]


class TestAnyOtherRequest:
    @cases(OTHER)
    def test_is_answered_by_the_endpoint(self, ways, sent, head):
        ways.ask(*sent, **head)

        assert not ways.was_short

    def test_is_a_replay(self, ways):
        first = ways.plain.ask(ways.request())

        answer = ways.ask()

        assert answer.status == "200 OK"
        assert answer.body == first.body

    def test_is_a_conflict(self, ways):
        ways.plain.ask(ways.request())

        answer = ways.ask(job(reference="another"))

        assert answer.status == "409 Conflict"

    def test_has_a_key_that_was_revoked_just_now(self, ways, issued):
        ways.plain.ask(ways.request())
        keys.revoke(key=issued.key, by=make_user(), at=NOW)

        assert ways.ask().status == "401 Unauthorized"

    def test_has_a_key_without_the_scope(self, wallet, clock, ways):
        other = keys.issue(name="Reader", scopes=[Scope.CREDITS_READ], at=NOW)

        answer = ways.ask(HTTP_AUTHORIZATION=f"Bearer {other.secret}")

        assert answer.status == "403 Forbidden"

    def test_is_over_the_limit(self, ways, settings):
        settings.API_REQUESTS_PER_MINUTE = 0

        assert ways.ask().status == "429 Too Many Requests"

    def test_counts_once(self, ways, settings):
        settings.API_REQUESTS_PER_MINUTE = 3  # with the one that taught it
        dear = job(lines=[{"feature": "look", "quantity": 101}])

        statuses = [ways.plain.ask(ways.request(dear)).status[:3] for _ in range(3)]

        assert statuses == ["402", "402", "429"]

    def test_alarms_once_for_a_rate_that_is_missing(self, ways):
        lines = [{"feature": "hologram", "quantity": 1}]

        ways.plain.ask(ways.request(job(lines=lines)))

        alarms = [line for line in ways.plain.logs if line["event"] == "rate_missing"]
        assert len(alarms) == 1

    def test_is_over_an_insecure_connection(self, ways, settings):
        settings.SECURE_SSL_REDIRECT = True
        ways = Ways(ways._token)

        assert ways.ask().status == "301 Moved Permanently"
        assert not ways.was_short

    def test_is_the_first(self, ways):
        django = Django()

        Way(PlainDebits(django)).ask(ways.request())

        assert django.asked == 1


class TestFailure:
    def test_is_met_once(self, ways, monkeypatch):
        asked = []

        def fail(*_, **__):
            asked.append(1)
            raise OperationalError

        monkeypatch.setattr(ledger, "spend", fail)

        answer = ways.plain.ask(ways.request())

        assert answer.status == "503 Service Unavailable"
        assert len(asked) == 1

    def test_of_whoever_sends_is_told_once(self, ways):
        class Broken(io.BytesIO):
            def read(self, size=-1):
                raise OSError

        request = ways.request()
        answer = ways.plain.ask(request | {"wsgi.input": Broken()})

        assert answer.status == "400 Bad Request"
        assert isinstance(request.get("purser.failure", UnreadablePostError()), OSError)

    def test_after_it_took_effect_charges_nothing_more(self, ways, wallet, monkeypatch):
        monkeypatch.setattr(plain_debits, "charged", None)

        answer = ways.plain.ask(ways.request())

        assert answer.status == "200 OK"
        assert ("Idempotent-Replayed", "true") in answer.headers
        jobs = LedgerEntry.objects.filter(wallet=wallet, kind="SPEND")
        assert jobs.filter(idempotency_key="api:k").count() == 1


texts = st.text(max_size=5)
numbers = st.integers(-1, 120) | st.floats(0, 3) | st.none() | st.booleans() | texts
lines = st.fixed_dictionaries(
    {"feature": st.sampled_from(["look", "avatar-iv", "veo-3", "no", ""]) | texts},
    optional={"quantity": numbers, "unit": texts},
)
jobs = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from([ACCOUNT, "acc_other", ACCOUNT.upper()]) | texts,
        "lines": st.lists(lines, max_size=3) | texts,
        "unit": st.sampled_from(["credits", "premium", "CREDITS", None]),
        "member": st.sampled_from([None, MEMBER, MEMBER.upper(), ""]) | texts,
        "reference": texts | st.none(),
        "ran_at": st.sampled_from([None, "2026-03-10T12:00:00Z", "now", 7]),
        "more": st.none(),
    },
)
nearly_plain = st.builds(lambda changed: JOB | changed, jobs)
heads = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_IDEMPOTENCY_KEY": st.text(
            st.characters(max_codepoint=255), min_size=0, max_size=101
        ),
        "CONTENT_TYPE": st.sampled_from(
            ["application/json", "Application/JSON", "application/json;", "text/json"]
        ),
        "HTTP_HOST": st.sampled_from(["localhost", "LOCALHOST:80", "127.0.0.1", "x"]),
        "HTTP_X_FORWARDED_PROTO": st.sampled_from(["https", "http", ""]),
        "CONTENT_LENGTH": st.sampled_from(["1", "40", "0", "-1", "٣", "65537"]),
    },
)


class TestWhateverIsSent:
    @hypothesis_settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(sent=nearly_plain | jobs, head=heads | st.just({}))
    def test_is_answered_as_by_the_endpoint(self, ways, sent, head):
        with undone():
            ways.ask(sent, **head)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestCommitted:
    @pytest.fixture
    def ways(self, issued) -> Ways:
        return Ways(issued.secret)

    def test_heals_once_the_database_has_cut_it(self, ways):
        connection.close()
        with psycopg.connect(**connection.get_connection_params()) as another:
            another.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )

        # One for each connection of the pool, and one for the first that is new.
        statuses = [ways.plain.ask(ways.request()).status[:3]]
        while statuses[-1] == "503" and len(statuses) <= POOL:
            statuses.append(ways.plain.ask(ways.request()).status[:3])

        assert (statuses[0], statuses[-1]) == ("503", "201")
        assert ways.django.asked == statuses.count("503")

    def test_tells_of_a_wallet_that_is_watched(self, ways, wallet):
        with connections["owner"].cursor() as owner:
            owner.execute("UPDATE credits_wallet SET watched_below = 100")
        heard = []

        def hear(available, **_):
            heard.append(available)

        balance_changed.connect(hear)

        ways.plain.ask(ways.request())

        assert heard == [{wallet.account_id: 98}]
        assert ways.was_short


class TestServer:
    def test_goes_the_short_way(self):
        assert isinstance(wsgi.application, PlainDebits)
