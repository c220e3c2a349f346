"""Errors of the API: RFC 9457 problem documents, and the table of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.http import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse

MEDIA_TYPE = "application/problem+json"
_ROOT = "/api/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: what `type`, `status` and `title` say."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """Return the `type`: an identifier for programs to branch on."""
        return f"/api/v1/problems/{self.name}"


MALFORMED = Kind("malformed-request", 400, "The request cannot be read")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid service key is needed")
INSUFFICIENT_CREDITS = Kind("insufficient-credits", 402, "Not enough credits")
MEMBER_CAP_REACHED = Kind("member-cap-reached", 402, "The member's cap is reached")
SPENDING_BLOCKED = Kind("spending-blocked", 402, "This account cannot spend credits")
NO_FREE_VIDEOS = Kind("no-free-videos", 402, "This account is not on Free")
FREE_VIDEOS_USED_UP = Kind("free-videos-used-up", 402, "No free videos are left")
HOLD_EXPIRED = Kind("hold-expired", 402, "The hold has timed out")
MISSING_SCOPE = Kind("missing-scope", 403, "The service key lacks a scope")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
NO_PREMIUM_CREDITS = Kind(
    "no-premium-credits", 404, "This account has no premium credits"
)
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Not possible at this address")
IDEMPOTENCY_CONFLICT = Kind(
    "idempotency-conflict", 409, "The key was used for another request"
)
HOLD_CLOSED = Kind("hold-closed", 409, "The hold is no longer open")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "Send application/json")
INVALID = Kind("invalid-request", 422, "The request does not fit")
QUOTE_EXPIRED = Kind("quote-expired", 422, "The quote is no longer valid")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "Too many requests")
INTERNAL = Kind("internal-error", 500, "Something is wrong on this side")
UNAVAILABLE = Kind("unavailable", 503, "Not available for the moment")

_BY_STATUS = {
    kind.status: kind
    for kind in (
        *(MALFORMED, UNAUTHENTICATED, MISSING_SCOPE, NOT_FOUND, METHOD_NOT_ALLOWED),
        *(TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID, TOO_MANY_REQUESTS, INTERNAL),
        UNAVAILABLE,
    )
}


class Problem(Exception):
    """A refusal with everything that the caller is told; `members` extend it."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **members: object,
    ) -> None:
        """Remember what to say."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    @property
    def document(self) -> dict[str, object]:
        """Return the problem document."""
        return {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            **self.members,
        }

    def as_response(self) -> HttpResponse:
        """Return the answer that carries the problem document."""
        return JsonResponse(
            self.document,
            status=self.kind.status,
            content_type=MEDIA_TYPE,
            headers=self.headers,
        )


def invalid(errors: Iterable[dict[str, str]]) -> Problem:
    """Return the refusal of a request, with each error and where it is."""
    listed = list(errors)
    return Problem(
        INVALID, " ".join(error["detail"] for error in listed), errors=listed
    )


def pointer(path: Iterable[int | str]) -> str:
    """Return where something is in the body: a JSON Pointer, as a fragment."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "#" + "".join(f"/{quote(step)}" for step in steps)


class ProblemMiddleware:
    """Turn every other error under /api/ into a problem document.

    Addresses that do not exist, methods, hosts and what breaks before the API is
    reached are answered by Django, in HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Remember the next middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace the body of any other error; keep its headers."""
        response = self.get_response(request)
        if not request.path.startswith(_ROOT) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type") == MEDIA_TYPE:
            return response
        kind = _BY_STATUS.get(response.status_code, MALFORMED)
        problem = Problem(kind, f"{kind.title}.").as_response()
        problem.status_code = response.status_code
        for name, value in response.headers.items():
            if name not in {"Content-Type", "Content-Length"}:
                problem.headers.setdefault(name, value)
        return problem
