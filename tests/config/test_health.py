"""What machines ask: does it live, can it serve, what are its figures."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from config import health


class TestLivez:
    def test_answers_whoever_asks_by_whatever_name(self, client):
        answer = client.get("/livez", headers={"host": "10.0.0.7:8000"})

        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_is_not_cached(self, client):
        assert "no-store" in client.get("/livez").headers["Cache-Control"]

    def test_refuses_to_be_posted_to(self, client):
        assert client.post("/livez").status_code == 405


@pytest.mark.django_db
class TestReadyz:
    def test_tells_that_both_servers_answer(self, client):
        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json() == {"database": True, "valkey": True}

    def test_serves_without_valkey(self, client, settings):
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:1/0",
            }
        }

        answer = client.get("/readyz")

        assert answer.status_code == 200
        assert answer.json() == {"database": True, "valkey": False}

    def test_does_not_serve_without_the_database(self, client, monkeypatch):
        class Gone:
            def cursor(self):
                raise OperationalError

        monkeypatch.setattr(health, "connection", Gone())

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["database"] is False


class TestMetrics:
    def test_are_nobodys_without_a_token(self, client, settings):
        settings.METRICS_TOKEN = ""

        answer = client.get("/metrics", headers={"authorization": "Bearer "})

        assert answer.status_code == 404

    def test_are_hidden_from_another_token(self, client, settings):
        settings.METRICS_TOKEN = "right"

        answer = client.get("/metrics", headers={"authorization": "Bearer wrong"})

        assert answer.status_code == 404

    def test_are_shown_to_the_token(self, client, settings):
        settings.METRICS_TOKEN = "right"

        answer = client.get("/metrics", headers={"authorization": "Bearer right"})

        assert answer.status_code == 200
        assert b"django_http_requests_before_middlewares_total" in answer.content
