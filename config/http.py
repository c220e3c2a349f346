"""Headers and answers that every app shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.core.handlers.exception import convert_exception_to_response
from django.shortcuts import render
from django.urls import resolve
from django_structlog.middlewares import RequestMiddleware

from billing import portal_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    GetResponse = Callable[[HttpRequest], HttpResponse]

_OF_PROGRAMS = ("/api/", "/webhooks/")


class PrivateByDefaultMiddleware:
    """Keep answers out of caches unless a view says otherwise, and features off."""

    def __init__(self, get_response: GetResponse) -> None:
        """Remember the next middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers that Django has no setting for."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"
        )
        return response


class PortalClockMiddleware:
    """Answer at the time that the time machine has made it. Only in sandbox mode."""

    def __init__(self, get_response: GetResponse) -> None:
        """Remember the next middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Read the clock's offset before anybody reads the clock."""
        portal_clock.follow()
        return self.get_response(request)


class ProgramMiddleware:
    """Answer programs here: sessions, forms and languages are for people.

    They take longer than all else that a debit asks of Python.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Remember the next middleware, which is for people."""
        self.get_response = get_response
        answer = cast("GetResponse", convert_exception_to_response(_answer))
        self.answer = cast("GetResponse", RequestMiddleware(answer))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Call the view of a program's request, and log it as every other."""
        is_program = request.path_info.startswith(_OF_PROGRAMS)
        answer = self.answer if is_program else self.get_response
        return answer(request)


def _answer(request: HttpRequest) -> HttpResponse:
    request.get_host()  # refuses names that are not ours
    found = request.resolver_match = resolve(request.path_info)
    response: HttpResponse = found.func(request, *found.args, **found.kwargs)
    response.headers.setdefault("Content-Length", str(len(response.content)))
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form is too old, not what a forger would want to know."""
    return render(request, "403_csrf.html", status=403)
