"""The short way for debits: a WSGI application in front of Django's (ADR 31).

Nearly every job is plain: its request is in order, its key is live and its wallet
covers it. Such a job is charged here, by the functions that the endpoint calls, past
the layers that find out what kind of request it is. Whatever else there is to say is
the endpoint's: it gets the request as if nobody had looked.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import structlog
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import InterfaceError, OperationalError
from django.http import UnreadablePostError
from django.urls import resolve, reverse
from django_prometheus.middleware import Metrics
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import bind_contextvars, reset_contextvars

from accounts.models import Scope
from config.clock import now
from credits import ledger
from credits.api import api
from credits.api.access import (
    FAILURE,
    LONGEST_JOB,
    ApiRequest,
    ServiceKeyAuth,
    length_of,
)
from credits.api.debits import charged, command_for
from credits.api.schemas import DebitIn
from credits.api.shortages import tell_falls
from credits.api.throttling import PerKey
from credits.api.writing import KEY_PATTERN, MAX_KEY, Members, actor_of, ledger_key
from credits.models import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import OptExcInfo

    from credits.api.access import Addressed
    from credits.api.schemas import DebitOut

    Headers = list[tuple[str, str]]

log = structlog.get_logger(__name__)
request_log = structlog.get_logger(RequestMiddleware.__module__)

_KEY = re.compile(KEY_PATTERN)
# What the endpoint would meet again, after as long a wait.
_FAILURES = (OperationalError, InterfaceError, UnreadablePostError, RequestDataTooBig)


class PlainDebits:
    """Answers plain debits, and lets all else pass."""

    def __init__(self, django: WSGIApplication) -> None:
        """Remember what answers everything else."""
        self._django = django
        self._path = reverse("api:debit")
        self._headers: dict[bool, Headers] = {}  # by whether the request is secure
        self._may_spend = ServiceKeyAuth(Scope.CREDITS_SPEND)
        self._limit = PerKey()
        self._figures = _Figures(view=resolve(self._path).view_name)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a plain debit that took effect; hand on what is anything else."""
        if environ["PATH_INFO"] != self._path:
            return self._django(environ, start_response)
        started_at = perf_counter()
        request = cast("ApiRequest", WSGIRequest(environ))
        is_secure = request.is_secure()
        headers = self._headers.get(is_secure)
        if headers is None:
            learning = self._learning(start_response, is_secure=is_secure)
            return self._django(environ, learning)
        content = self._content(request) if _is_in_order(request) else None
        if content is None:
            return self._django(environ, start_response)
        self._figures.add(
            transport="https" if is_secure else "http",
            received=length_of(request),
            sent=len(content),
            seconds=perf_counter() - started_at,
        )
        length = str(len(content))
        start_response(
            "201 Created", [(name, value or length) for name, value in headers]
        )
        return [content]

    def _learning(
        self, start_response: StartResponse, *, is_secure: bool
    ) -> StartResponse:
        """Return what takes the headers of such answers off Django's first one."""

        def learn(
            status: str, headers: Headers, exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            if status.startswith("201 "):
                self._headers[is_secure] = [
                    (name, "" if name == "Content-Length" else value)
                    for name, value in headers
                ]
            return start_response(status, headers, exc_info)

        return learn

    def _content(self, request: ApiRequest) -> bytes | None:
        """Return the answer to a plain debit that took effect."""
        # What is refused has written nothing, and what took effect is replayed (R109):
        # so Django may always be asked again.
        request_started.send(sender=WSGIHandler, environ=request.META)
        content = None
        try:
            content = self._charge(request)
        except _FAILURES as failure:
            request.META[FAILURE] = failure
        except Exception:
            log.debug("debit_not_plain", exc_info=True)
        finally:
            request_finished.send(sender=WSGIHandler)
        if content is None and "_body" in vars(request):
            request.META["wsgi.input"] = BytesIO(request.body)
        return content

    def _charge(self, request: ApiRequest) -> bytes | None:
        """Charge a job, log it, and return the answer; None when it is not plain."""
        request.get_host()  # refuses names that are not ours
        job = DebitIn.model_validate(json.loads(request.body))
        _, _, token = request.META["HTTP_AUTHORIZATION"].partition(" ")
        request.auth = self._may_spend.authenticate(request, token)
        target = request.target
        if target is None or not _is_plain(job, target):
            return None
        in_log = bind_contextvars(request_id=str(uuid4()))
        try:
            return self._answer(request, job, target)
        finally:
            reset_contextvars(**in_log)

    def _answer(
        self, request: ApiRequest, job: DebitIn, target: Addressed
    ) -> bytes | None:
        if not self._limit.allow_request(request):
            return None
        debit = _spend(request, job, target)
        if debit is None:
            return None
        request_log.info("request_finished", code=201, request=f"POST {self._path}")
        content: str = api.renderer.render(
            request, debit.model_dump(), response_status=201
        )
        return content.encode()


def _is_in_order(request: ApiRequest) -> bool:
    """Whether a request is one for a debit, as far as its head tells."""
    head = request.META
    key = head.get("HTTP_IDEMPOTENCY_KEY", "")
    scheme, _, _ = head.get("HTTP_AUTHORIZATION", "").partition(" ")
    return (
        request.method == "POST"
        and request.content_type == "application/json"
        and 0 < length_of(request) <= LONGEST_JOB
        and scheme.lower() == "bearer"
        and len(key) <= MAX_KEY
        and _KEY.fullmatch(key) is not None
        # What the log and the figures would have to tell besides.
        and not (head["SCRIPT_NAME"] or head.get("QUERY_STRING"))
        and "HTTP_X_REQUESTED_WITH" not in head
    )


def _is_plain(job: DebitIn, target: Addressed) -> bool:
    """Whether a job can be priced by what is known of its wallet."""
    if job.member is not None or job.ran_at is not None or target.rate_version is None:
        return False
    priced = {rate.feature for rate in target.rates.rates}
    return all(line.feature in priced for line in job.lines)


def _spend(request: ApiRequest, job: DebitIn, target: Addressed) -> DebitOut | None:
    """Charge a job now; None for one that was charged before."""
    at = now()
    command = command_for(
        *(job, target, Members([])),
        key=ledger_key(request.META["HTTP_IDEMPOTENCY_KEY"]),
        actor=actor_of(request.auth),
        at=at,
    )
    if isinstance(command, LedgerEntry):
        return None
    spent = ledger.spend(command, at=at)
    if spent.is_replay:
        return None
    tell_falls({target.wallet: spent.available})
    return charged(job, command, spent, target)


class _Figures:
    """What django_prometheus counts of such a request, its labels looked up once."""

    def __init__(self, *, view: str) -> None:
        """Find the counters."""
        of_all = Metrics.get_instance()
        self._transports = of_all.requests_by_transport
        self._counters = (
            of_all.requests_total,
            of_all.responses_total,
            of_all.requests_by_method.labels(method="POST"),
            of_all.responses_by_status.labels(status="201"),
            of_all.responses_by_status_view_method.labels(
                status="201", view=view, method="POST"
            ),
            of_all.responses_by_charset.labels(charset="utf-8"),
        )
        self._received = of_all.requests_body_bytes
        self._sent = of_all.responses_body_bytes
        self._latencies = (
            of_all.requests_latency_before,
            of_all.requests_latency_by_view_method.labels(view=view, method="POST"),
        )

    def add(self, *, transport: str, received: int, sent: int, seconds: float) -> None:
        """Count a request and its answer: bytes of bodies, and how long it took."""
        self._transports.labels(transport=transport).inc()
        for counter in self._counters:
            counter.inc()
        self._received.observe(received)
        self._sent.observe(sent)
        for latency in self._latencies:
            latency.observe(seconds)
