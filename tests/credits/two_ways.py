"""Two ways for the same debit: in front of Django and through it (ADR 31)."""

from __future__ import annotations

import io
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.urls import clear_script_prefix
from prometheus_client import REGISTRY
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from credits.api import throttling
from credits.api.plain_debits import PlainDebits

PATH = "/api/v1/debits"
ACCOUNT = "acc_7k3m0q2w9x4t6y8z1b5c"
LOOK = {"feature": "look", "quantity": 1}
JOB = {"account": ACCOUNT, "lines": [LOOK]}

# How long it took, and when a counter was made: no two requests have that alike.
_OF_TIME = re.compile(r".*_(created|latency_.*(sum|bucket))")


@dataclass(frozen=True)
class Answer:
    """All that a caller sees of an answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Way:
    """A way into the portal, and what it tells of a request besides the answer."""

    application: object
    logs: list = field(default_factory=list)
    figures: dict = field(default_factory=dict)

    def ask(self, environ) -> Answer:
        told = []
        before = figures()
        with capture_logs([merge_contextvars]) as logs:
            chunks = self.application(environ, lambda *head: told.append(head[:2]))
            body = b"".join(chunks)
            getattr(chunks, "close", bool)()
        self.logs[:] = [
            line | {"request_id": "request_id" in line}
            for line in logs
            if line["log_level"] != "debug"
        ]
        after = figures()
        self.figures.clear()
        self.figures.update({name: after[name] - before.get(name, 0) for name in after})
        [(status, headers)] = told
        return Answer(status, headers, body)


class Django:
    """Django's own way, which counts what it is asked."""

    def __init__(self):
        self._django = get_wsgi_application()
        self.asked = 0

    def __call__(self, environ, start_response):
        self.asked += 1
        return self._django(environ, start_response)


def figures() -> dict:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith("django_http") and not _OF_TIME.match(sample.name)
    }


class Ways:
    """Both ways, asked the same in the same state of the books."""

    def __init__(self, token):
        clear_script_prefix()
        self._token = token
        self.django = Django()
        self.plain = Way(PlainDebits(self.django))
        self._long = Way(get_wsgi_application())
        self.plain.ask(self.request(key="the first teaches it the headers"))
        self.django.asked = 0

    def request(self, job=JOB, *, key="k", **head):
        body = job if isinstance(job, bytes) else json.dumps(job).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": PATH,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "HTTP_IDEMPOTENCY_KEY": key,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        return {
            name: value for name, value in (environ | head).items() if value is not None
        }

    def ask(self, *sent, **head) -> Answer:
        """Ask both and return the answer, which is the same."""
        with undone():
            long = self._long.ask(self.request(*sent, **head))
        throttling._tallies.clear()
        short = self.plain.ask(self.request(*sent, **head))
        assert short == long
        assert self.plain.logs == self._long.logs
        assert self.plain.figures == self._long.figures
        return short

    @property
    def was_short(self) -> bool:
        return self.django.asked == 0


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
