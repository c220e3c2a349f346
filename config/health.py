"""Whether this process lives, whether it can serve, and its figures.

Machines ask for these, by the address of a container: so they are answered by a
middleware, before Django asks whether the host is one of ALLOWED_HOSTS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class HealthMiddleware:
    """Answers /livez, /readyz and /metrics itself, and lets all else pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Remember the next middleware."""
        self.get_response = get_response
        self.answers = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer what is asked of this process, and not of the portal."""
        answer = self.answers.get(request.path_info, self.get_response)
        return answer(request)


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process can answer at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers; Valkey is reported, never required."""
    database, valkey = _database_answers(), _valkey_answers()
    return JsonResponse(
        {"database": database, "valkey": valkey}, status=200 if database else 503
    )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Serve the figures to whoever holds METRICS_TOKEN; without a token, to nobody."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(
        given, settings.METRICS_TOKEN
    ):
        return HttpResponse(status=404)
    response: HttpResponse = ExportToDjangoView(request)
    return response


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _valkey_answers() -> bool:
    try:
        cache.get("readyz")
    except RedisError:
        return False
    return True
