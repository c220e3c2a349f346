"""Which page answers which URL."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from stripe_sandbox.engine.agenda import work_off
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Store
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response
from stripe_sandbox.pages.checkout_page import CheckoutPage
from stripe_sandbox.pages.index_page import index_page
from stripe_sandbox.pages.receipt_page import receipt_page
from stripe_sandbox.pages.rendering import page

_ASSETS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Site:
    """Everything outside `/v1/`. A page's work is one transaction."""

    def __init__(self, store: Store, context: Callable[[], Context]) -> None:
        self._store = store
        self._context = context
        self._checkout = CheckoutPage()

    def handle(self, request: Request) -> Response:
        """Answer a page request."""
        if request.path.startswith("/assets/"):
            return _asset(request.path.removeprefix("/assets/"))
        with self._store.transaction():
            context = self._context()
            work_off(context)
            try:
                return self._page(context, request)
            except ApiError as error:
                return page("message.html", status=error.status, message=str(error))

    def _page(self, context: Context, request: Request) -> Response:
        _, first, *rest = request.path.split("/")
        if not first and request.method == "GET":
            return index_page(context)
        if first == "receipts" and len(rest) == 1:
            return receipt_page(context, rest[0])
        if first == "c" and rest[:1] == ["pay"] and len(rest) >= 2:
            return self._checkout.handle(context, request, rest[1], rest[2:])
        return page("message.html", status=404, message="There is no such page.")


def _asset(name: str) -> Response:
    kind = _ASSETS.get(name.rpartition(".")[2])
    file = files("stripe_sandbox.pages") / "assets" / name
    if kind is None or "/" in name or not file.is_file():
        return page("message.html", status=404, message="There is no such file.")
    headers = {"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "no-cache"}
    return Response(200, file.read_bytes(), headers)
