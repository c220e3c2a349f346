"""`/_sandbox/retries`: what Stripe's dashboard says about failed renewals."""

from __future__ import annotations

import json

from stripe_sandbox.engine.store import Store
from stripe_sandbox.http_messages import Request, Response, json_response
from stripe_sandbox.invoicing import retrying


def retries_over_http(store: Store, request: Request) -> Response:
    """Tell the schedule of retries or, when posted to, set it."""
    if request.method == "POST":
        try:
            wanted = json.loads(request.body)
            retrying.declare(store, retry_days=wanted["days"], then=wanted["then"])
        except (ValueError, KeyError, TypeError):
            sentence = 'The body must be {"days": [<days>, ...], "then": "cancel"}.'
            return json_response(400, {"error": sentence})
    told = {"days": retrying.days(store), "then": retrying.afterwards(store)}
    return json_response(200, told)
