"""Whatever goes wrong under /api/, the answer is a problem document."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from accounts import keys
from accounts.models import Scope
from config.clock import now
from credits import ledger
from credits.api import throttling
from tests.conftest import NOW
from tests.factories import make_user, make_wallet

pytestmark = pytest.mark.usefixtures("rates")

RATES = "/api/v1/rates"


@pytest.fixture
def caller(caller_for):
    return caller_for()


class TestWithoutAKey:
    @pytest.mark.parametrize(
        "authorization",
        [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer prsr_no", "Bearer \xe9"],
    )
    def test_asks_for_one(self, authorization):
        headers = {} if authorization is None else {"authorization": authorization}

        response = Client().get(RATES, headers=headers)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json() == {
            "type": "/api/v1/problems/unauthenticated",
            "title": "A valid service key is needed",
            "status": 401,
            "detail": "Send a service key that is neither expired nor revoked.",
        }

    def test_knows_no_sign_in_session(self):
        client = Client()
        client.force_login(make_user())

        assert client.get(RATES).status_code == 401

    def test_refuses_a_revoked_key(self):
        issued = keys.issue(name="Old", scopes=[Scope.RATES_READ], at=NOW)
        keys.revoke(key=issued.key, by=make_user(), at=NOW)

        assert get_rates(issued.secret).status_code == 401

    def test_refuses_an_expired_key(self):
        issued = keys.issue(
            name="Old",
            scopes=[Scope.RATES_READ],
            at=NOW,
            expires_at=now() - timedelta(seconds=1),
        )

        assert get_rates(issued.secret).status_code == 401


class TestRequestsThatCannotBeRead:
    @pytest.mark.parametrize(
        "body", ["{", "no", b"\xff\xfe", "[" * 5_000, "9" * 5_000, '{"a": NaN']
    )
    def test_says_that_the_body_is_not_json(self, caller, body):
        response = caller.post("/quotes", body)

        assert response.status_code == 400
        assert response.json() == {
            "type": "/api/v1/problems/malformed-request",
            "title": "The request cannot be read",
            "status": 400,
            "detail": "The body is not JSON.",
        }

    @pytest.mark.parametrize("body", ["", "[]", "null", "7", '"text"'])
    def test_says_that_the_body_is_no_job(self, caller, body):
        response = caller.post("/quotes", body)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "#"

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "x"]
    )
    def test_reads_json_only(self, caller, content_type):
        response = caller.post("/quotes", "{}", content_type=content_type)

        assert response.status_code == 415
        assert response.json()["type"] == "/api/v1/problems/unsupported-media-type"

    def test_reads_json_with_a_charset(self, caller):
        body = job_of(make_wallet())

        response = caller.post(
            "/quotes", json.dumps(body), content_type="application/json; charset=utf-8"
        )

        assert response.status_code == 200

    def test_reads_no_endless_body(self, caller):
        response = caller.post("/quotes", "[" + " " * 3_000_000)

        assert response.status_code == 413
        assert response.json()["type"] == "/api/v1/problems/too-large"


class TestAddressesThatAreNone:
    @pytest.mark.parametrize(
        "path", ["/api/v1/nothing", "/api/v1/", "/api/", "/api/v2/rates", "/api/v1/a/b"]
    )
    def test_answers_404_without_html(self, caller, path):
        response = caller.client.get(path)

        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["type"] == "/api/v1/problems/not-found"

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "get", "options"])
    def test_answers_405_and_names_what_is_possible(self, caller, method):
        response = getattr(caller.client, method)("/api/v1/debits")

        assert response.status_code == 405
        assert response.headers["Allow"] == "POST"
        assert response.json()["type"] == "/api/v1/problems/method-not-allowed"

    def test_answers_a_wrong_host_without_html(self, caller):
        response = caller.client.get(RATES, headers={"host": "evil.example"})

        assert response.status_code == 400
        assert response.headers["Content-Type"] == "application/problem+json"


class TestWhatBreaks:
    def test_says_that_the_database_is_away(self, caller, monkeypatch):
        monkeypatch.setattr(ledger, "spend", raises(OperationalError("gone")))

        response = caller.post("/debits", job_of(make_wallet()), key="k")

        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert response.json()["type"] == "/api/v1/problems/unavailable"

    def test_says_nothing_about_what_nobody_foresaw(self, caller, monkeypatch):
        monkeypatch.setattr(ledger, "spend", raises(RuntimeError("secret detail")))
        caller.client.raise_request_exception = False

        response = caller.post("/debits", job_of(make_wallet()), key="k")

        assert response.status_code == 500
        assert "secret" not in response.content.decode()
        assert response.json() == {
            "type": "/api/v1/problems/internal-error",
            "title": "Something is wrong on this side",
            "status": 500,
            "detail": "The cause is on record. Repeat the request with its idempotency"
            " key.",
        }


class TestRateLimit:
    def test_asks_to_wait_for_the_next_minute(self, caller, settings):
        settings.API_REQUESTS_PER_MINUTE = 0

        refused = caller.get("/rates")

        assert refused.status_code == 429
        assert refused.json()["type"] == "/api/v1/problems/too-many-requests"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60

    def test_counts_each_key_on_its_own(self, caller, caller_for, settings):
        settings.API_REQUESTS_PER_MINUTE = 1
        caller.get("/rates")

        assert caller_for().get("/rates").status_code == 200

    @pytest.mark.usefixtures("clock")
    def test_counts_what_every_process_was_asked(self, caller, settings):
        settings.API_REQUESTS_PER_MINUTE = 2
        answers = []

        for _ in range(3):
            throttling._tallies.clear()  # as another process would begin
            answers.append(caller.get("/rates").status_code)

        assert answers == [200, 200, 429]

    @pytest.mark.usefixtures("clock")
    def test_asks_for_the_common_count_once_in_a_hundredth(
        self, caller, settings, monkeypatch
    ):
        settings.API_REQUESTS_PER_MINUTE = 300
        told = []
        tell = throttling._tell
        monkeypatch.setattr(
            throttling, "_tell", lambda name, n: told.append(n) or tell(name, n)
        )

        answers = [caller.get("/rates").status_code for _ in range(302)]

        assert set(told) == {1, 3}
        assert len(told) == 101
        assert answers == [200] * 300 + [429] * 2

    def test_begins_anew_each_minute(self, caller, settings, clock):
        settings.API_REQUESTS_PER_MINUTE = 1
        answers = []

        for _ in range(2):
            answers += [caller.get("/rates").status_code for _ in range(2)]
            clock.advance(timedelta(minutes=1))

        assert answers == [200, 429, 200, 429]

    def test_lets_requests_pass_when_nobody_can_count(self, caller, settings):
        settings.CACHES = {
            "default": {
                **settings.CACHES["default"],
                "LOCATION": "unix:///nowhere/valkey.sock",
            }
        }
        settings.API_REQUESTS_PER_MINUTE = 0

        response = caller.get("/rates")

        assert response.status_code == 200


def get_rates(token: str):
    return Client().get(RATES, headers={"authorization": f"Bearer {token}"})


def job_of(wallet):
    return {
        "account": wallet.account.public_id,
        "lines": [{"feature": "look", "quantity": 1}],
    }


def raises(error):
    def fail(*_, **__):
        raise error

    return fail
