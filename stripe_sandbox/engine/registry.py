"""Routes: each handler is bound to an operation that the installed SDK declares."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stripe_sandbox.contract.operations import Operation, operations
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, not_in_the_sandbox

Handler = Callable[..., Json]
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of Stripe's, how its path looks, and what answers it."""

    operation: Operation
    pattern: re.Pattern[str]
    handler: Handler


_routes: list[Route] = []


def operation(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a handler: `handler(context, params, **ids in the path)`.

    Raises:
        KeyError: the SDK has no such operation.
    """

    def register(handler: Handler) -> Handler:
        contract = operations()[method, path]
        _routes.append(Route(contract, _pattern(path), handler))
        return handler

    return register


def route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Find the route of a request and the ids in its path.

    Raises:
        ApiError: Stripe has no such URL, or the sandbox does not offer it.
    """
    for candidate in _routes:
        match = candidate.pattern.fullmatch(path)
        if match and candidate.operation.method == method:
            return candidate, match.groupdict()
    if any(m == method and _pattern(p).fullmatch(path) for m, p in operations()):
        raise not_in_the_sandbox(f"{method} {path}")
    raise ApiError(
        f"Unrecognized request URL ({method}: {path}). Please see"
        " https://stripe.com/docs or we can help at https://support.stripe.com/.",
        status=404,
    )


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", path))
