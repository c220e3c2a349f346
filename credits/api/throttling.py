"""How many requests a key has each minute."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import structlog
from django.conf import settings
from ninja.throttling import BaseThrottle
from redis import Redis
from redis.exceptions import RedisError

from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest

    from credits.api.access import ApiRequest

log = structlog.get_logger(__name__)

_WINDOW_S = 60


class PerKey(BaseThrottle):
    """A counter for each key and minute: ninja's own keeps a list of all requests."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Whether the key has requests left; it has when nobody can count."""
        try:
            return bool(_count(request) <= settings.API_REQUESTS_PER_MINUTE)
        except RedisError as unreachable:
            log.warning("rate_limit_not_counted", error=str(unreachable))
            return True

    def wait(self) -> float:
        """Return the seconds until the next minute begins."""
        return _WINDOW_S - now().second


def _count(request: HttpRequest) -> int:
    key = cast("ApiRequest", request).auth
    name = f"purser:api-requests:{key.pk}:{now():%Y%m%d%H%M}"
    # Not through Django's cache: it asks twice, and first whether the name is there.
    valkey = _valkey(settings.CACHES["default"]["LOCATION"])
    count = valkey.incr(name)
    if count == 1:
        valkey.expire(name, 2 * _WINDOW_S)
    return count


@cache
def _valkey(url: str) -> Redis:
    return Redis.from_url(url)
