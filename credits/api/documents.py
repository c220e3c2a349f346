"""The API's OpenAPI document, and what reads request bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from credits.api import problems
from credits.api.access import ServiceKeyAuth
from credits.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest
    from ninja.operation import Operation

_PROBLEM = {"$ref": "#/components/schemas/ProblemOut"}
_WAIT = {
    "Retry-After": {
        "description": "Seconds to wait before the request is repeated.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}


class JsonParser(Parser):
    """Reads JSON, and nothing that merely looks like it."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the decoded body.

        Raises:
            Problem: it is not declared as JSON.
        """
        if request.content_type != "application/json":
            raise Problem(
                problems.UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON, with Content-Type: application/json.",
            )
        return super().parse_body(request)


class Document(OpenAPISchema):
    """What ninja's own document leaves out: scopes, and how errors are answered."""

    def operation_security(self, operation: Operation) -> list[dict[str, Any]]:
        """Return that a key is needed, and which scope it must have."""
        needed = super().operation_security(operation) or []
        for scheme, guard in zip(needed, operation.auth_callbacks, strict=True):
            if isinstance(guard, ServiceKeyAuth):
                scheme[ServiceKeyAuth.__name__] = [guard.scope.value]
        return needed

    def operation_parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """Return the parameters; ninja repeats examples where no list may be."""
        parameters = super().operation_parameters(operation)
        for parameter in parameters:
            parameter.pop("examples", None)
        return parameters

    def responses(self, operation: Operation) -> dict[int, dict[str, Any]]:
        """Return all answers; ninja knows one media type for them, and no headers."""
        answers = super().responses(operation)
        for status, answer in answers.items():
            if answer["content"]["application/json"]["schema"] == _PROBLEM:
                answer["content"] = {problems.MEDIA_TYPE: {"schema": _PROBLEM}}
            if status in {429, 503}:
                answer["headers"] = _WAIT
        return answers


class DocumentedAPI(NinjaAPI):
    """An API that is described by `Document`."""

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        """Return the document."""
        if path_prefix is None:
            path_prefix = self.get_root_path(path_params or {})
        return Document(self, path_prefix)
