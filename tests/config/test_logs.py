"""Logs in production: one JSON object a line, with the id of the request."""

from __future__ import annotations

import json
import subprocess
import sys

from django.conf import settings

from tests.architecture.production import ENVIRONMENT

PROGRAM = """
import django; django.setup()
from django.test import Client
Client().get("/api/v1/rates", secure=True, headers={"host": "billing.example.com"})
import logging
try:
    1 // 0
except ZeroDivisionError:
    logging.getLogger("some.library").exception("went wrong")
"""


class TestLogs:
    def test_are_json_lines_that_name_their_request(self):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=settings.BASE_DIR,
            env={**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=True,
        )

        lines = [json.loads(line) for line in ran.stderr.splitlines()]
        requests = [line for line in lines if line["event"] == "request_finished"]
        assert requests[0]["request_id"]
        assert requests[0]["timestamp"].endswith("Z")
        assert lines[-1]["event"] == "went wrong"
        assert lines[-1]["exception"][0]["exc_type"] == "ZeroDivisionError"
