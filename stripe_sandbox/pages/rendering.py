"""Templates and the headers that every page carries."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from stripe_sandbox.http_messages import Response
from stripe_sandbox.resources.fields import dollars

_templates = Environment(
    loader=PackageLoader("stripe_sandbox.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["dollars"] = dollars


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%b %-d, %Y, %H:%M:%S UTC")


_templates.filters["moment"] = _moment


def page(
    template: str, *, status: int = 200, leads_to: str = "", **values: object
) -> Response:
    """Render a page. `leads_to` is the site that its form may be redirected to."""
    body = _templates.get_template(template).render(values).encode()
    return Response(status, body, _headers(leads_to))


def _headers(leads_to: str) -> dict[str, str]:
    # Browsers hold a redirect after a form to `form-action`, too.
    parts = urlsplit(leads_to)
    beyond = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        f" form-action 'self'{beyond}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
