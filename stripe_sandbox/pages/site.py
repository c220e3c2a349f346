"""Which page answers which URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

from stripe_sandbox.engine.agenda import work_off
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Store
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response
from stripe_sandbox.pages.challenge_page import challenge_page
from stripe_sandbox.pages.charge_page import charge_page
from stripe_sandbox.pages.checkout_page import CheckoutPage
from stripe_sandbox.pages.control_room import ControlRoom
from stripe_sandbox.pages.credit_note_pdf import credit_note_pdf
from stripe_sandbox.pages.invoice_page import invoice_page
from stripe_sandbox.pages.object_page import object_page
from stripe_sandbox.pages.portal_page import portal_page
from stripe_sandbox.pages.receipt_page import receipt_page
from stripe_sandbox.pages.rendering import page

Page = Callable[..., Response]
_ASSETS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Site:
    """Everything outside `/v1/`. A page's work is one transaction."""

    def __init__(
        self, store: Store, context: Callable[[], Context], control_room: ControlRoom
    ) -> None:
        self._store = store
        self._context = context
        # A page is given the context, the request, and what its pattern captures.
        self._pages: dict[str, Page] = {
            "/": control_room.show,
            "/control/(clock|faults|deliveries)": control_room.change,
            "/control/charges/([^/]+)": charge_page,
            "/control/objects/([^/]+)": object_page,
            "/receipts/([^/]+)": receipt_page,
            "/p/session/([^/]+)(/card|/cancel|/details)?": portal_page,
            "/invoices/([^/]+)(/pdf)?": invoice_page,
            "/credit_notes/([^/]+)/pdf": credit_note_pdf,
            "/3ds/([^/]+)": challenge_page,
            "/c/pay/([^/]+)(/authenticate)?": CheckoutPage().handle,
        }

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
        for pattern, answer in self._pages.items():
            if match := re.fullmatch(pattern, request.path):
                return answer(context, request, *match.groups())
        return page("message.html", status=404, message="There is no such page.")


def _asset(name: str) -> Response:
    kind = _ASSETS.get(name.rpartition(".")[2])
    file = files("stripe_sandbox.pages") / "assets" / name
    if kind is None or "/" in name or not file.is_file():
        return page("message.html", status=404, message="There is no such file.")
    headers = {"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "no-cache"}
    return Response(200, file.read_bytes(), headers)
