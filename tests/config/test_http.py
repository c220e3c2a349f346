"""Programs are answered without what is for people, and with all that protects both."""

from __future__ import annotations

import pytest

RATES = "/api/v1/rates"
PROTECTION = {
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cache-Control",
    "Permissions-Policy",
}


class TestProgramMiddleware:
    @pytest.mark.parametrize("address", [RATES, "/api/v1/nowhere", "/webhooks/stripe/"])
    def test_protects_answers_as_those_to_people(self, client, address):
        answer = client.get(address)

        assert answer.headers.keys() >= PROTECTION

    def test_tells_how_long_an_answer_is(self, client):
        answer = client.get("/api/v1/openapi.json")

        assert answer.headers["Content-Length"] == str(len(answer.content))

    @pytest.mark.parametrize("address", [RATES, "/webhooks/stripe/"])
    def test_begins_no_session_and_speaks_no_language(self, client, address):
        answer = client.get(address)

        assert not answer.cookies
        assert not hasattr(answer.wsgi_request, "session")
        assert "Content-Language" not in answer.headers

    def test_refuses_names_that_are_not_ours(self, client):
        answer = client.get(RATES, headers={"host": "elsewhere.example"})

        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_leaves_pages_their_sessions(self, client):
        answer = client.get("/accounts/login/")

        assert hasattr(answer.wsgi_request, "session")
