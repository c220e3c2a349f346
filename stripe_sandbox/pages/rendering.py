"""Templates and the headers that every page carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response
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


def _input_moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M")


def day(seconds: int) -> str:
    """Return a date as invoices show it: `Feb 1, 2027`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%b %-d, %Y")


def money(amount: int) -> str:
    """Return an amount of cents that may be a credit: `-$3.33`."""
    return f"-{dollars(-amount)}" if amount < 0 else dollars(amount)


def _span(seconds: int) -> str:
    """Say how long something is, e.g. `31 days, 1:00:05`."""
    return str(timedelta(seconds=seconds))


_templates.filters |= {
    "day": day,
    "money": money,
    "moment": _moment,
    "input_moment": _input_moment,
    "span": _span,
}


def page(
    template: str, *, status: int = 200, leads_to: str = "", **values: object
) -> Response:
    """Render a page. `leads_to` is the site that its form may be redirected to."""
    body = _templates.get_template(template).render(values).encode()
    return Response(status, body, _headers(leads_to))


def refuse_other_sites(request: Request) -> None:
    """Refuse a form of a page from elsewhere that is open in the same browser.

    Raises:
        ApiError: it was sent by another site (403).
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ApiError("This form was sent by another site.", status=403)


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
