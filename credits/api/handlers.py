"""What the API answers to each exception. Anything unforeseen is a 500 and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import UnreadablePostError
from ninja.errors import HttpError, Throttled, ValidationError
from psycopg_pool import PoolTimeout

from accounts.roles import Permission, who_may
from credits import ledger
from credits.api import problems
from credits.api.problems import Problem
from credits.core.amounts import AmountOutOfBounds
from credits.quoting import NoRateCard
from credits.settling import HoldLapsed
from credits.signals import rate_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

log = structlog.get_logger(__name__)

_RETRY_SOON = {"Retry-After": "1"}


def install(api: NinjaAPI) -> None:
    """Answer each exception by the function of its type, found along its bases."""
    for kinds, translate in _TRANSLATIONS:
        for kind in kinds:
            api.add_exception_handler(kind, _answer(translate))


def problem_of(error: Exception) -> Problem:
    """Return what a caller is told about an error."""
    for kinds, translate in _TRANSLATIONS:
        if isinstance(error, kinds):
            return translate(error)
    return _internal(error)


def _answer(
    translate: Callable[[Any], Problem],
) -> Callable[[HttpRequest, Any], HttpResponse]:
    def handler(request: HttpRequest, exception: Exception) -> HttpResponse:
        problem = translate(exception)
        if problem.kind is problems.INTERNAL:
            log.error("api_failed", exc_info=exception)
            # For error reports; and tests see it.
            got_request_exception.send(sender=None, request=request)
        return problem.as_response()

    return handler


def _itself(problem: Problem) -> Problem:
    return problem


def _insufficient(refusal: ledger.InsufficientCredits) -> Problem:
    # R45: that credits are coming. Without auto-reload there is nothing to say.
    on_the_way: dict[str, Any] = {"reload": refusal.reload} if refusal.reload else {}
    return Problem(
        problems.INSUFFICIENT_CREDITS,
        str(refusal),
        needed=refusal.needed,
        available=refusal.available,
        way_forward=refusal.way_forward,
        **on_the_way,
    )


def _capped(refusal: ledger.MemberCapReached) -> Problem:
    managers = ", ".join(who_may(Permission.MANAGE_TEAM))
    return Problem(
        problems.MEMBER_CAP_REACHED,
        str(refusal),
        needed=refusal.needed,
        cap=refusal.cap,
        used=refusal.used,
        way_forward=f"These roles can raise it on the page “Team”: {managers}.",
    )


def _blocked(refusal: ledger.SpendingBlocked) -> Problem:
    return Problem(
        problems.SPENDING_BLOCKED,
        str(refusal),
        rule=refusal.block.value,
        way_forward=refusal.way_forward,
    )


def _no_free_videos(refusal: ledger.NoFreeVideos) -> Problem:
    return Problem(
        problems.NO_FREE_VIDEOS,
        str(refusal),
        way_forward="Videos of this account cost credits: hold or debit them.",
    )


def _free_videos_used_up(refusal: ledger.FreeVideosUsedUp) -> Problem:
    return Problem(
        problems.FREE_VIDEOS_USED_UP,
        str(refusal),
        quota=refusal.quota,
        starts_again_at=refusal.starts_again_at,
        way_forward=refusal.way_forward,
    )


def _free_video_too_long(refusal: ledger.FreeVideoTooLong) -> Problem:
    return problems.invalid([{"detail": str(refusal), "pointer": "#/milliseconds"}])


def _conflict(refusal: ledger.IdempotencyConflict) -> Problem:
    return Problem(problems.IDEMPOTENCY_CONFLICT, str(refusal))


def _no_hold(missing: ledger.HoldNotFound) -> Problem:
    return Problem(problems.NOT_FOUND, str(missing))


def _hold_closed(refusal: ledger.HoldClosed) -> Problem:
    return Problem(problems.HOLD_CLOSED, str(refusal), state=refusal.state)


def _hold_lapsed(refusal: HoldLapsed) -> Problem:
    return Problem(
        problems.HOLD_EXPIRED,
        str(refusal),
        needed=refusal.needed,
        available=refusal.available,
        way_forward=refusal.way_forward,
    )


def _out_of_bounds(refusal: AmountOutOfBounds) -> Problem:
    return problems.invalid([{"detail": str(refusal), "pointer": "#/lines"}])


def _no_rates(missing: NoRateCard) -> Problem:
    # R97: nothing is free because its price is unknown.
    log.error("rate_card_missing", rate_plan=missing.rate_plan)
    rate_missing.send_robust(
        sender=None, rate_plan=missing.rate_plan, version=None, features=[""]
    )
    return Problem(problems.UNAVAILABLE, str(missing), headers=_RETRY_SOON)


def _unavailable(cause: Exception) -> Problem:
    log.warning("api_unavailable", error=str(cause))
    return Problem(
        problems.UNAVAILABLE,
        "Nothing was charged by this request unless it went through before it broke:"
        " repeat it with its idempotency key.",
        headers=_RETRY_SOON,
    )


def _internal(_: Exception) -> Problem:
    return Problem(
        problems.INTERNAL,
        "The cause is on record. Repeat the request with its idempotency key.",
    )


def _invalid(refusal: ValidationError) -> Problem:
    return problems.invalid(_error(error) for error in refusal.errors)


def _error(error: dict[str, Any]) -> dict[str, str]:
    where, *path = error["loc"]
    if where != "body":
        return {"detail": error["msg"], where: str(path[-1])}
    # The first step is the name of the function's argument.
    return {"detail": error["msg"], "pointer": problems.pointer(path[1:])}


def _http_error(error: HttpError) -> Problem:
    # What goes wrong while the body is read arrives as the cause of a plain 400.
    if isinstance(error.__cause__, Problem):
        return error.__cause__
    match error:
        case Throttled(wait=wait):
            return Problem(
                problems.TOO_MANY_REQUESTS,
                "This key has used up its requests of this minute.",
                headers={"Retry-After": str(wait or 1)},
            )
        case HttpError(status_code=401):
            return unauthenticated()
        case _:
            return Problem(problems.MALFORMED, "The body is not JSON.")


def _too_large(_: RequestDataTooBig) -> Problem:
    return Problem(problems.TOO_LARGE, "The request body is too large.")


def _broken_off(_: UnreadablePostError) -> Problem:
    return Problem(problems.MALFORMED, "The request broke off.")


def unauthenticated() -> Problem:
    """Return the refusal of a request without a live key; it tells no more."""
    return Problem(
        problems.UNAUTHENTICATED,
        "Send a service key that is neither expired nor revoked.",
        headers={"WWW-Authenticate": "Bearer"},
    )


_TRANSLATIONS: Iterable[
    tuple[tuple[type[Exception], ...], Callable[[Any], Problem]]
] = (
    ((Problem,), _itself),
    ((ledger.InsufficientCredits,), _insufficient),
    ((ledger.MemberCapReached,), _capped),
    ((ledger.SpendingBlocked,), _blocked),
    ((ledger.NoFreeVideos,), _no_free_videos),
    ((ledger.FreeVideosUsedUp,), _free_videos_used_up),
    ((ledger.FreeVideoTooLong,), _free_video_too_long),
    ((ledger.IdempotencyConflict,), _conflict),
    ((ledger.HoldNotFound,), _no_hold),
    ((ledger.HoldClosed,), _hold_closed),
    ((HoldLapsed,), _hold_lapsed),
    ((AmountOutOfBounds,), _out_of_bounds),
    ((NoRateCard,), _no_rates),
    ((OperationalError, InterfaceError, PoolTimeout), _unavailable),
    ((RequestDataTooBig,), _too_large),
    ((UnreadablePostError,), _broken_off),
    ((ValidationError,), _invalid),
    ((HttpError,), _http_error),
    ((Exception,), _internal),
)
