"""The index: what happened lately, and what is open."""

from __future__ import annotations

from stripe_sandbox.engine.context import API_VERSION, Context
from stripe_sandbox.http_messages import Response
from stripe_sandbox.pages.rendering import page

_SHOWN = 30
_DELIVERIES = """
SELECT d.*, json_extract(e.body, '$.type') AS type, json_extract(w.body, '$.url') AS url
FROM deliveries d
JOIN objects e ON e.id = d.event_id
JOIN objects w ON w.id = d.endpoint_id
ORDER BY d.id DESC LIMIT ?
"""


def index_page(context: Context) -> Response:
    """Show recent events and deliveries, and links to the open sessions."""
    store = context.store
    newest = f"ORDER BY seq DESC LIMIT {_SHOWN}"
    return page(
        "index.html",
        api_version=API_VERSION,
        deliveries=store.sql(_DELIVERIES, _SHOWN),
        events=store.select("event", [], [], tail=newest),
        now=context.now,
        sessions=store.find("checkout.session", status="open")[::-1][:_SHOWN],
    )
