"""The OpenAPI document in the repository is the API's, and its page is read only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from credits.api import api

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "openapi.json"


class TestDocument:
    def test_is_committed_as_it_is(self, tmp_path):
        call_command(
            "export_openapi_schema",
            api="credits.api.api",
            indent=2,
            output=str(tmp_path / "openapi.json"),
        )

        assert DOCUMENT.read_text() == (tmp_path / "openapi.json").read_text(), (
            "Run: manage.py export_openapi_schema --api credits.api.api --indent 2"
            " --output docs/openapi.json"
        )

    def test_tells_that_errors_are_problem_documents(self):
        operations = [
            operation
            for path in json.loads(DOCUMENT.read_text())["paths"].values()
            for operation in path.values()
        ]

        answers = [
            (status[0], media_type)
            for operation in operations
            for status, answer in operation["responses"].items()
            for media_type in answer["content"]
        ]

        assert set(answers) == {
            ("2", "application/json"),
            ("4", "application/problem+json"),
            ("5", "application/problem+json"),
        }

    def test_names_a_key_for_every_operation(self):
        unguarded = [
            operation["operationId"]
            for path in api.get_openapi_schema()["paths"].values()
            for operation in path.values()
            if not operation.get("security")
        ]

        assert unguarded == []


class TestPage:
    @pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/openapi.json"])
    def test_is_read_only(self, path):
        statuses = [Client().get(path).status_code, Client().post(path).status_code]

        assert statuses == [200, 405]
