"""Requests and responses, free of any server."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from stripe_sandbox.wire import parse_form


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    def query(self) -> dict[str, Any]:
        """Return the parsed query string."""
        return parse_form(urlsplit(self.target).query)

    def form(self) -> dict[str, Any]:
        """Return the parsed form body."""
        return parse_form(self.body.decode("utf-8", "replace"))

    def secret_key(self) -> str:
        """Return the API key of a bearer token or of basic authentication, or ''."""
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return credentials.strip()
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(credentials).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
            return decoded.partition(":")[0]
        return ""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the parsed body."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


def json_response(
    status: int, body: object, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON, indented as Stripe's is."""
    sent = {"Content-Type": "application/json"} | dict(headers or {})
    return Response(status, json.dumps(body, indent=2).encode(), sent)


def redirect(url: str) -> Response:
    """Return a 303 to the URL."""
    return Response(303, b"", {"Location": url})
