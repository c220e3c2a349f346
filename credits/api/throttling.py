"""How many requests a key has each minute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import structlog
from django.conf import settings
from ninja.throttling import BaseThrottle
from redis import Redis
from redis.exceptions import RedisError

from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import ServiceKey
    from credits.api.access import ApiRequest

log = structlog.get_logger(__name__)

_WINDOW_S = 60
_LARGEST_STEP = 20
_ANSWER = "purser.has_requests_left"


@dataclass(slots=True)
class Tally:
    """What is known here of one key's requests in one minute."""

    minute: int
    told: int = 0  # by all processes, when last asked
    untold: int = 0  # by this one since


class PerKey(BaseThrottle):
    """A counter for each key and minute: ninja's own keeps a list of all requests.

    A process asks for the common count once in a hundredth of the limit, at most
    twenty requests, and lets no more than that through beyond it.
    """

    def allow_request(self, request: HttpRequest) -> bool:
        """Whether the key has requests left; it has when nobody can count.

        Who asks again about the same request gets the same answer: it counts once.
        """
        if _ANSWER not in request.META:
            key = cast("ApiRequest", request).auth
            request.META[_ANSWER] = self._has_requests_left(key)
        return bool(request.META[_ANSWER])

    def _has_requests_left(self, key: ServiceKey) -> bool:
        try:
            return bool(_count(key.pk) <= settings.API_REQUESTS_PER_MINUTE)
        except RedisError as unreachable:
            log.warning("rate_limit_not_counted", error=str(unreachable))
            return True

    def wait(self) -> float:
        """Return the seconds until the next minute begins."""
        return _WINDOW_S - now().second


_lock = Lock()
_tallies: dict[int, Tally] = {}


def _count(key_id: int) -> int:
    minute = int(now().timestamp()) // _WINDOW_S
    step = min(settings.API_REQUESTS_PER_MINUTE // 100, _LARGEST_STEP)
    with _lock:
        tally = _tallies.get(key_id)
        if tally is None or tally.minute != minute:
            tally = _tallies[key_id] = Tally(minute)
        tally.untold += 1
        if tally.told and tally.untold < step:
            return tally.told + tally.untold
        untold, tally.untold = tally.untold, 0
    tally.told = _tell(f"purser:api-requests:{key_id}:{minute}", untold)
    return tally.told


def _tell(name: str, requests: int) -> int:
    # Not through Django's cache: it asks twice, and first whether the name is there.
    where: dict[str, Any] = settings.CACHES["default"]
    valkey = _valkey(where["LOCATION"], **where.get("OPTIONS", {}))
    count = int(valkey.incrby(name, requests))
    if count == requests:
        valkey.expire(name, 2 * _WINDOW_S)
    return count


@cache
def _valkey(url: str, **options: int) -> Redis:
    return Redis.from_url(url, **options)
