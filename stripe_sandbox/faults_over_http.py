"""Faults on order over HTTP, for tests that run in another process."""

from __future__ import annotations

import json
from dataclasses import asdict

from stripe_sandbox.engine.faults import Faults
from stripe_sandbox.http_messages import Request, Response, json_response

_WANTED = 'The body must be {"kind": ..., "on": "POST /v1/...", "times": 1}; kinds: '
_KINDS = "500, 429, reset, timeout_after_commit"


def faults_over_http(faults: Faults, request: Request) -> Response:
    """List (GET), order (POST) or forget (DELETE) faults of the next API requests."""
    if request.method == "POST":
        try:
            given = json.loads(request.body)
            faults.order(
                given["kind"],
                on=str(given.get("on", "")),
                times=int(given.get("times", 1)),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return json_response(400, {"error": f"{_WANTED}{_KINDS}."})
    if request.method == "DELETE":
        faults.clear()
    return json_response(200, {"faults": [asdict(each) for each in faults.pending()]})
