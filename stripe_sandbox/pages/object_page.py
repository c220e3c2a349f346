"""Any object as the API sends it."""

from __future__ import annotations

import json

from stripe_sandbox.engine.context import Context
from stripe_sandbox.errors import missing_resource
from stripe_sandbox.http_messages import Request, Response
from stripe_sandbox.pages.rendering import page


def object_page(context: Context, _request: Request, object_id: str) -> Response:
    """Show an object and the events about it.

    Raises:
        ApiError: there is none.
    """
    body = context.store.get(object_id)
    if body is None:
        raise missing_resource("object", object_id)
    events = context.store.select(
        "event",
        ["json_extract(body, '$.data.object.id') = ?"],
        [object_id],
        tail="ORDER BY seq DESC LIMIT 50",
    )
    return page(
        "object.html", events=events, object=body, text=json.dumps(body, indent=2)
    )
