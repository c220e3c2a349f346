"""What does not start, and what it says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.architecture.production import ENVIRONMENT


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process that has only this environment."""
    program = "from config import settings as s; print(s.IS_STRIPE_SANDBOX)"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env={**environment, "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


class TestProduction:
    def test_starts_when_everything_is_set(self):
        started = start(**ENVIRONMENT)

        assert started.returncode == 0, started.stderr
        assert started.stdout == "False\n"

    def test_says_everything_that_is_missing_at_once(self):
        refused = start()

        missing = [
            line.split()[1]
            for line in refused.stderr.splitlines()
            if line.endswith("is not set. .env.example says what it is for.")
        ]
        assert refused.returncode == 1
        assert missing == [
            *("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "BASE_URL"),
            *("SUPPORT_EMAIL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"),
        ]

    @pytest.mark.parametrize(
        "name", sorted(ENVIRONMENT.keys() - {"ENVIRONMENT", "ENV_FILE"})
    )
    def test_needs_each_variable(self, name):
        refused = start(**{**ENVIRONMENT, name: ""})

        assert refused.returncode == 1
        assert f"  - {name} is not set." in refused.stderr

    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            ("SECRET_KEY", "short", "SECRET_KEY is shorter than 50 characters."),
            ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name your hosts"),
            ("STAFF_STEP_UP", "off", "STAFF_STEP_UP is off"),
            ("BASE_URL", "http://billing.example.com", "must begin with https://"),
            ("DEBUG", "true", "DEBUG is on"),
            ("STRIPE_API_BASE", "http://127.0.0.1:12111", "points to a sandbox"),
            ("DATABASE_OWNER_URL", ENVIRONMENT["DATABASE_URL"], "are the same login"),
        ],
    )
    def test_refuses_what_is_unsafe(self, name, value, problem):
        refused = start(**{**ENVIRONMENT, name: value})

        assert refused.returncode == 1
        assert problem in refused.stderr

    def test_is_what_an_unknown_environment_means(self):
        refused = start(ENVIRONMENT="staging")

        assert "SECRET_KEY is not set." in refused.stderr


class TestDevelopment:
    def test_uses_the_sandbox_without_keys(self):
        started = start(ENVIRONMENT="development")

        assert started.returncode == 0, started.stderr
        assert started.stdout == "True\n"

    def test_uses_stripe_with_a_test_key(self):
        started = start(ENVIRONMENT="development", STRIPE_SECRET_KEY="sk_test_own")

        assert started.stdout == "False\n"

    @pytest.mark.parametrize("key", ["sk_live_example", "rk_live_example"])
    def test_refuses_a_live_key_with_the_address_of_a_sandbox(self, key):
        refused = start(
            ENVIRONMENT="development",
            STRIPE_SECRET_KEY=key,
            STRIPE_API_BASE="http://127.0.0.1:12111",
        )

        assert refused.returncode == 1
        assert "a live key is only ever sent to Stripe." in refused.stderr

    def test_refuses_a_live_key_at_all(self):
        refused = start(ENVIRONMENT="development", STRIPE_SECRET_KEY="sk_live_example")

        assert refused.returncode == 1
        assert "Use a test key, or none for the sandbox." in refused.stderr
