"""Idempotency keys: the first answer is kept, and given again for the same request.

Source: https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stripe_sandbox.engine.store import Json, Store
from stripe_sandbox.errors import ApiError

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of a request, and which request gave it first."""

    status: int
    body: Json
    replayed_from: str = ""


class IdempotencyKeys:
    """Remembers answers by key, across endpoints; 402 and 500 like any other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_use: set[str] = set()
        self._guard = threading.Lock()

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """Hold a key for one request.

        Raises:
            ApiError: another request holds it (409).
        """
        with self._guard:
            if key in self._in_use:
                raise _in_use(key)
            self._in_use.add(key)
        try:
            yield
        finally:
            with self._guard:
                self._in_use.discard(key)

    def prune(self, *, now: int) -> None:
        """Forget keys that are a day old: then the same key means a new request."""
        self._store.sql("DELETE FROM idempotency_keys WHERE created <= ?", now - _DAY_S)

    def recall(self, key: str, endpoint: str, form: Json) -> Answer | None:
        """Return the kept answer, or None for a new key.

        Raises:
            ApiError: the key was used for another endpoint or other parameters.
        """
        rows = self._store.sql("SELECT * FROM idempotency_keys WHERE key = ?", key)
        if not rows:
            return None
        [row] = rows
        if row["endpoint"] != endpoint:
            raise _other_endpoint(key, row["endpoint"], endpoint)
        if json.loads(row["form"]) != form:
            raise _other_parameters(key)
        return Answer(row["status"], json.loads(row["body"]), row["request_id"])

    def keep(
        self,
        key: str,
        endpoint: str,
        form: Json,
        request_id: str,
        answer: Answer,
        *,
        now: int,
    ) -> None:
        """Keep the answer of a request that began to execute."""
        self._store.sql(
            "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?)",
            key,
            now,
            request_id,
            endpoint,
            json.dumps(form),
            answer.status,
            json.dumps(answer.body),
        )


def _in_use(key: str) -> ApiError:
    return ApiError(
        "There is currently another in-progress request using this Idempotent Key"
        " (that probably means you submitted twice, and the other request is still"
        f" going through): {key}. Please try again later.",
        status=409,
        type="idempotency_error",
        code="idempotency_key_in_use",
    )


def _other_endpoint(key: str, first: str, second: str) -> ApiError:
    return ApiError(
        "Keys for idempotent requests can only be used for the same endpoint they were"
        f" first used for ('{first}' vs '{second}'). Try using a key other than"
        f" '{key}' if you meant to execute a different request.",
        type="idempotency_error",
    )


def _other_parameters(key: str) -> ApiError:
    return ApiError(
        "Keys for idempotent requests can only be used with the same parameters they"
        f" were first used with. Try using a key other than '{key}' if you meant to"
        " execute a different request.",
        type="idempotency_error",
    )
