"""The API: authentication, keys, parameters, one handler, expansion, envelope."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import stripe_sandbox.resources  # noqa: F401 - registers the routes
from stripe_sandbox.engine.agenda import work_off
from stripe_sandbox.engine.context import API_VERSION, Context, Origin
from stripe_sandbox.engine.expansion import expand
from stripe_sandbox.engine.faults import ConnectionLost, Faults, Kind
from stripe_sandbox.engine.idempotency import Answer, IdempotencyKeys
from stripe_sandbox.engine.ids import new_id
from stripe_sandbox.engine.registry import Handler, route
from stripe_sandbox.engine.store import Json, Store
from stripe_sandbox.errors import ApiError, not_in_the_sandbox
from stripe_sandbox.http_messages import Request, Response, json_response

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?\Z")
_KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class _Call:
    """A request on its way through the API."""

    request: Request
    request_id: str
    key: str
    form: Json

    def origin(self) -> Origin:
        return Origin(self.request_id, self.key or None)


class Api:
    """Answers `/v1/...` as Stripe does."""

    def __init__(
        self, store: Store, context: Callable[[], Context], faults: Faults
    ) -> None:
        self._store = store
        self._context = context
        self._faults = faults
        self.keys = IdempotencyKeys(store)

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ConnectionLost: a fault was ordered that leaves the client unanswered.
        """
        posted = request.method == "POST"
        call = _Call(
            request,
            new_id("req"),
            request.headers.get("idempotency-key", "") if posted else "",
            request.form() if posted else request.query(),
        )
        fault = self._faults.take(f"{request.method} {request.path}")
        if fault == "reset":
            raise ConnectionLost
        try:
            _check(call)
            answer = self._answer(call, fault)
        except ApiError as error:
            answer = Answer(error.status, error.body())
        if fault == "timeout_after_commit":
            raise ConnectionLost
        return _respond(call, answer)

    def _answer(self, call: _Call, fault: Kind | None) -> Answer:
        if fault == "429":
            raise _rate_limited()
        found, ids = route(call.request.method, call.request.path)
        with (
            self.keys.holding(call.key) if call.key else nullcontext(),
            self._store.transaction(),
        ):
            context = replace(self._context(), origin=call.origin())
            if kept := self._recalled(call, now=context.now):
                return kept
            params = found.operation.read(call.form)
            if "customer_account" in params:  # takes the place of `customer` everywhere
                raise not_in_the_sandbox("`customer_account`")
            answer = (
                _broken()
                if fault == "500"
                else self._execute(context, found.handler, ids, params)
            )
            self._keep(call, answer, now=context.now)
            return answer

    def _recalled(self, call: _Call, *, now: int) -> Answer | None:
        if not call.key:
            return None
        self.keys.prune(now=now)
        return self.keys.recall(call.key, call.request.path, call.form)

    def _keep(self, call: _Call, answer: Answer, *, now: int) -> None:
        if call.key:
            self.keys.keep(
                call.key,
                call.request.path,
                call.form,
                call.request_id,
                answer,
                now=now,
            )

    def _execute(
        self, context: Context, handler: Handler, ids: dict[str, str], params: Json
    ) -> Answer:
        try:
            with self._store.transaction():
                work_off(context)
                return _run(context, handler, ids, params)
        except ApiError as error:
            if error.is_validation:
                raise
            return Answer(error.status, error.body())
        except Exception:  # noqa: BLE001 - like Stripe, a fault of ours is a 500
            traceback.print_exc(file=sys.stderr)
            return _broken()


def _run(
    context: Context, handler: Handler, ids: dict[str, str], params: Json
) -> Answer:
    """A decline is an answer, not a rollback: its charge and events stay."""
    expansions = params.pop("expand", [])
    try:
        body = handler(context, params, **ids)
    except ApiError as error:
        if not error.keeps_changes:
            raise
        return Answer(error.status, error.body())
    return Answer(200, expand(context, body, expansions))


def _check(call: _Call) -> None:
    _authenticate(call.request.secret_key())
    version = call.request.headers.get("stripe-version", API_VERSION)
    if not _VERSION.match(version):
        raise ApiError(f"Invalid Stripe API version: {version}")
    if len(call.key) > _KEY_LENGTH_MAX:
        raise ApiError(
            "Idempotency keys may be at most 255 characters in length.",
            type="idempotency_error",
        )


def _authenticate(secret_key: str) -> None:
    if not secret_key:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the"
            " Authorization header, using Bearer auth (e.g. 'Authorization: Bearer"
            " YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for"
            " details, or we can help at https://support.stripe.com/.",
            status=401,
        )
    # A live key must never work here: whoever sends one believes money will move.
    if not secret_key.startswith("sk_test_"):
        raise ApiError(f"Invalid API Key provided: {_masked(secret_key)}", status=401)


def _masked(key: str) -> str:
    """`sk_live_********abcd`, as Stripe shows keys in errors."""
    prefix = "_".join(key.split("_")[:2]) + "_" if key.count("_") >= 2 else ""
    hidden = max(len(key) - len(prefix) - 4, 4)
    return f"{prefix}{'*' * hidden}{key[-4:]}"


def _rate_limited() -> ApiError:
    return ApiError(
        "Request rate limit exceeded. Learn more about rate limits here"
        " https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
    )


def _broken() -> Answer:
    error = ApiError(
        "An unknown error occurred. Contact support@stripe.com for assistance.",
        status=500,
        type="api_error",
    )
    return Answer(error.status, error.body())


def _respond(call: _Call, answer: Answer) -> Response:
    headers = {
        "Request-Id": call.request_id,
        "Stripe-Version": call.request.headers.get("stripe-version", API_VERSION),
    }
    if call.key:
        headers["Idempotency-Key"] = call.key
    if answer.replayed_from:
        headers["Idempotent-Replayed"] = "true"
        headers["Original-Request"] = answer.replayed_from
    if answer.status in (409, 500):
        # A kept 500 would only be replayed; a clash is over in a moment.
        headers["Stripe-Should-Retry"] = "true" if answer.status == 409 else "false"
    return json_response(answer.status, answer.body, headers)
