"""A customer in the billing portal: who it is, what is allowed, where it leads."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource
from stripe_sandbox.http_messages import Response, redirect
from stripe_sandbox.pages.rendering import page
from stripe_sandbox.resources import customers, portal_configurations, portal_sessions
from stripe_sandbox.resources.accounts import BUSINESS_NAME

_FIRST_USE_WITHIN_S, _NEXT_USE_WITHIN_S = 300, 3600


@dataclass(frozen=True, slots=True)
class Visit:
    """A session of the portal that is still good."""

    context: Context
    session: Json
    customer: Json
    features: Json

    @property
    def home(self) -> str:
        """The path of the first page."""
        return f"/p/session/{self.session['id']}"

    @property
    def flow(self) -> Json:
        """The deep link that this session was made for, or nothing."""
        return self.session["flow"] or {}

    def is_in_flow(self) -> bool:
        """Whether the deep link is still to be followed."""
        notes = self.context.store.notes(self.session["id"])
        return bool(self.flow) and not notes.get("flow_done")

    def show(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Render a page of the portal."""
        return page(
            template,
            status=status,
            leads_to=self.session["return_url"] or "",
            business=BUSINESS_NAME,
            customer=self.customer,
            features=self.features,
            home=self.home,
            return_url=self.session["return_url"],
            **values,
        )

    def finish(self) -> Response:
        """Go where the deep link wants, or back to the first page."""
        self.context.store.note(self.session["id"], flow_done=True)
        after = self.flow.get("after_completion", {"type": "portal_homepage"})
        if after["type"] == "redirect":
            return redirect(str(after["redirect"]["return_url"]))
        if after["type"] == "hosted_confirmation":
            told = (after["hosted_confirmation"] or {}).get("custom_message")
            return self.show("portal_done.html", told=told)
        return redirect(self.home)

    def own(self, kind: str, object_id: object) -> Json:
        """Return a card or subscription of this customer.

        Raises:
            ApiError: it belongs to somebody else, or to nobody.
        """
        body = self.context.store.get(str(object_id))
        if not body or body["object"] != kind:
            raise missing_resource(kind, str(object_id))
        if body["customer"] != self.customer["id"]:
            raise missing_resource(kind, str(object_id))
        return body

    def require(self, feature: str) -> None:
        """Let nobody do what the configuration does not allow.

        Raises:
            ApiError: it does not (403).
        """
        if not self.features[feature]["enabled"]:
            raise ApiError("This is not possible here.", status=403)


def enter(context: Context, session_id: str) -> Visit:
    """Let a customer in by a link.

    Raises:
        ApiError: there is no such session, or it has expired (410).
    """
    session = context.fetch(portal_sessions.KIND, session_id)
    used_at = context.store.notes(session_id).get("used_at")
    good_until = (
        used_at + _NEXT_USE_WITHIN_S
        if used_at
        else session["created"] + _FIRST_USE_WITHIN_S
    )
    if context.now > good_until:
        raise ApiError(
            "This link has expired. Go back and open the portal again.", status=410
        )
    context.store.note(session_id, used_at=context.now)
    customer = customers.existing(context, session["customer"])
    configuration = context.fetch(portal_configurations.KIND, session["configuration"])
    return Visit(context, session, customer, configuration["features"])
