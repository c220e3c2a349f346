"""The API's OpenAPI document, and what reads request bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import NinjaAPI
from ninja.parser import Parser

from credits.api import problems
from credits.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest
    from ninja.openapi.schema import OpenAPISchema

_PROBLEM = {"$ref": "#/components/schemas/ProblemOut"}


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


class DocumentedAPI(NinjaAPI):
    """An API whose document tells which media type its errors have."""

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        """Return the document; ninja knows one media type for all answers."""
        document = super().get_openapi_schema(
            path_prefix=path_prefix, path_params=path_params
        )
        for operations in document["paths"].values():
            for operation in operations.values():
                for answer in operation["responses"].values():
                    _name_media_type(answer)
        return document


def _name_media_type(answer: dict[str, Any]) -> None:
    content = answer.get("content", {})
    if content.get("application/json", {}).get("schema") == _PROBLEM:
        answer["content"] = {problems.MEDIA_TYPE: content["application/json"]}
