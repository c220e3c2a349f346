"""The OpenAPI document in the repository is the API's, and its page is read only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from accounts.models import Scope

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "openapi.json"
KEY, WAIT = "Idempotency-Key", {"Retry-After"}
PATHS = json.loads(DOCUMENT.read_text())["paths"]
OPERATIONS = {
    (method, operation["operationId"]): operation | {"path": path}
    for path, operations in PATHS.items()
    for method, operation in operations.items()
}


def required_headers(operation) -> set[str]:
    return {
        parameter["name"]
        for parameter in operation["parameters"]
        if parameter["in"] == "header" and parameter["required"]
    }


def send(caller, operation):
    """Send as little as can be: it is refused before it is read."""
    method, _ = operation
    path = OPERATIONS[operation]["path"].format(account="acc_none", hold_id="hld_none")
    return getattr(caller.client, method)(path, content_type="application/json")


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
        answers = [
            (status[0], media_type)
            for operation in OPERATIONS.values()
            for status, answer in operation["responses"].items()
            for media_type in answer["content"]
        ]

        assert set(answers) == {
            ("2", "application/json"),
            ("4", "application/problem+json"),
            ("5", "application/problem+json"),
        }

    def test_tells_how_long_to_wait(self):
        waits = {
            (status, operation["responses"][status].get("headers", {}).keys() >= WAIT)
            for operation in OPERATIONS.values()
            for status in ("429", "503")
        }

        assert waits == {("429", True), ("503", True)}

    def test_needs_an_idempotency_key_for_every_write(self):
        keyless = {
            name
            for (method, name), operation in OPERATIONS.items()
            if method == "post" and KEY not in required_headers(operation)
        }

        # One moves nothing, and each item of the other has a key of its own.
        assert keyless == {"quote", "debit_batch"}

    def test_says_what_the_id_of_a_hold_is_good_for(self):
        links = OPERATIONS["post", "place_hold"]["responses"]["201"]["links"]

        assert {link["operationId"] for link in links.values()} == {
            name for _, name in OPERATIONS if name.endswith("hold")
        } - {"place_hold"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation[1])
class TestOperation:
    def test_has_the_scope_that_the_document_names(self, caller_for, rates, operation):
        [need] = OPERATIONS[operation]["security"]
        [scope] = need["ServiceKeyAuth"]

        refused = send(caller_for(scopes=set(Scope) - {scope}), operation)

        assert (refused.status_code, refused.json()["scope"]) == (403, scope)

    def test_asks_to_wait_when_there_are_too_many_requests(
        self, caller_for, rates, operation, settings
    ):
        settings.API_REQUESTS_PER_MINUTE = 0

        refused = send(caller_for(), operation)

        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60


class TestPage:
    @pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/openapi.json"])
    def test_is_read_only(self, path):
        statuses = [Client().get(path).status_code, Client().post(path).status_code]

        assert statuses == [200, 405]
