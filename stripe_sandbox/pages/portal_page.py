"""The billing portal at `/p/session/<session>`: plan, cards, details and invoices."""

from __future__ import annotations

from stripe_sandbox import authentication, saving
from stripe_sandbox.buyers import Buyer, new_card
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http_messages import Request, Response, redirect
from stripe_sandbox.pages.card_form import TEST_CARDS, card_problems, expiry_of
from stripe_sandbox.pages.portal_visit import Visit, enter
from stripe_sandbox.pages.rendering import refuse_other_sites
from stripe_sandbox.resources import (
    customers,
    payment_methods,
    setup_intents,
    subscriptions,
    tax_ids,
)
from stripe_sandbox.subscribing import items as subscription_items

_LIVE = ("active", "past_due", "trialing", "unpaid", "incomplete", "paused")
_ADDRESS = ("line1", "line2", "city", "postal_code", "state", "country")
# Stripe's own page knows a hundred.
_TAX_ID_TYPES = ("eu_vat", "gb_vat", "us_ein", "ca_bn", "au_abn", "in_gst", "jp_cn")
_FIRST_PAGE = {
    "customer_update": "details",
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
}


def portal_page(
    context: Context, request: Request, session_id: str, below: str | None
) -> Response:
    """Answer a request in the portal.

    Raises:
        ApiError: the link is used up, or what is asked for is not allowed.
    """
    visit = enter(context, session_id)
    if below is None and visit.is_in_flow():
        return redirect(f"{visit.home}/{_FIRST_PAGE[visit.flow['type']]}")
    if request.method != "POST":
        return _PAGES[below or "/home"](visit, request)
    refuse_other_sites(request)
    return _FORMS[below or "/home"](visit, request.form())


def _home(visit: Visit, _request: Request) -> Response:
    store, customer_id = visit.context.store, visit.customer["id"]
    plans = [
        _plan(visit.context, each)
        for each in store.find("subscription", customer=customer_id)
        if each["status"] in _LIVE
    ]
    return visit.show(
        "portal.html",
        cards=store.find("payment_method", customer=customer_id),
        default=visit.customer["invoice_settings"]["default_payment_method"],
        invoices=[
            each
            for each in store.find("invoice", customer=customer_id)[::-1]
            if each["hosted_invoice_url"]
        ],
        plans=plans,
    )


def _plan(context: Context, subscription: Json) -> Json:
    [item, *_] = subscription_items.of(subscription)
    return {
        "ends_at": subscription["cancel_at"],
        "id": subscription["id"],
        "name": context.fetch("product", item["price"]["product"])["name"],
        "price": item["price"],
        "quantity": item["quantity"],
        "renews_at": item["current_period_end"],
        "status": subscription["status"],
    }


def _change_home(visit: Visit, form: Json) -> Response:
    context, action = visit.context, form.get("action")
    if action == "renew":
        subscription = visit.own("subscription", form.get("id"))
        subscriptions.update(context, {"cancel_at": ""}, subscription["id"])
    elif action == "default":
        _make_default(visit, visit.own("payment_method", form.get("id"))["id"])
    elif action == "remove":
        visit.require("payment_method_update")
        method = visit.own("payment_method", form.get("id"))
        payment_methods.detach(context, {}, method["id"])
    else:
        raise ApiError("There is no such action.")
    return redirect(visit.home)


def _make_default(visit: Visit, method_id: str) -> None:
    visit.require("payment_method_update")
    settings = {"invoice_settings": {"default_payment_method": method_id}}
    customers.update(visit.context, settings, visit.customer["id"])


def _card(visit: Visit, request: Request) -> Response:
    visit.require("payment_method_update")
    # The way back from the bank: the card is saved, and becomes the default.
    back = request.query().get("setup_intent")
    if back is None:
        return _card_form(visit, {}, {})
    intent = visit.context.fetch("setup_intent", str(back))
    if intent["status"] != "succeeded" or intent["customer"] != visit.customer["id"]:
        problems = {"card_number": "Your bank did not confirm this card."}
        return _card_form(visit, {}, problems, status=402)
    _make_default(visit, intent["payment_method"])
    return visit.finish()


def _add_card(visit: Visit, form: Json) -> Response:
    visit.require("payment_method_update")
    context = visit.context
    problems = card_problems(form, now=context.now)
    if problems:
        return _card_form(visit, form, problems, status=422)
    try:
        intent = _save_card(visit, form)
    except ApiError as declined:
        if not declined.keeps_changes:
            raise
        return _card_form(visit, form, {"card_number": str(declined)}, status=402)
    if intent["status"] == "requires_action":
        return redirect(authentication.challenge_url(context, intent))
    _make_default(visit, intent["payment_method"])
    return visit.finish()


def _save_card(visit: Visit, form: Json) -> Json:
    context = visit.context
    buyer = Buyer(
        email=visit.customer["email"] or "",
        name=str(form["name"]).strip(),
        card_number=str(form["card_number"]),
        expiry=expiry_of(form),
    )
    method = new_card(context, buyer)
    wanted = {"customer": visit.customer["id"], "payment_method": method["id"]}
    intent = setup_intents.add(context, wanted)
    back = {"return_url": f"{visit.session['url']}/card"}
    authentication.note_return_url(context, intent, back)
    return saving.attempt(context, intent)


def _card_form(
    visit: Visit, form: Json, problems: dict[str, str], *, status: int = 200
) -> Response:
    return visit.show(
        "portal_card.html",
        status=status,
        form=form,
        problems=problems,
        test_cards=TEST_CARDS,
    )


def _cancel(visit: Visit, request: Request) -> Response:
    subscription = _to_cancel(visit, request.query())
    return visit.show("portal_cancel.html", plan=_plan(visit.context, subscription))


def _do_cancel(visit: Visit, form: Json) -> Response:
    context, subscription = visit.context, _to_cancel(visit, form)
    feature = visit.features["subscription_cancel"]
    details = {"cancellation_details": {"feedback": form.get("feedback") or ""}}
    if feature["mode"] == "immediately":
        prorate = feature["proration_behavior"] != "none"
        now = {
            "prorate": prorate,
            "invoice_now": feature["proration_behavior"] == "always_invoice",
        }
        subscriptions.cancel(context, now | details, subscription["id"])
    else:
        # The portal sets `cancel_at`, not `cancel_at_period_end`.
        end = {"cancel_at": subscription_items.period_of(subscription)[1]}
        subscriptions.update(context, end | details, subscription["id"])
    return visit.finish()


def _to_cancel(visit: Visit, given: Json) -> Json:
    visit.require("subscription_cancel")
    deep_link = (visit.flow.get("subscription_cancel") or {}).get("subscription")
    return visit.own("subscription", given.get("id") or deep_link)


def _details(visit: Visit, _request: Request) -> Response:
    visit.require("customer_update")
    return visit.show(
        "portal_details.html",
        address_parts=_ADDRESS,
        tax_id=next(iter(_tax_ids(visit)), None),
        tax_id_types=_TAX_ID_TYPES,
    )


def _change_details(visit: Visit, form: Json) -> Response:
    visit.require("customer_update")
    allowed = visit.features["customer_update"]["allowed_updates"]
    values: Json = {
        name: str(form[name]).strip()
        for name in ("email", "name", "phone")
        if name in allowed and name in form
    }
    if "address" in allowed:
        typed = {part: str(form.get(part, "")).strip() for part in _ADDRESS}
        values["address"] = {part: value or None for part, value in typed.items()}
    customers.update(visit.context, values, visit.customer["id"])
    if "tax_id" in allowed:
        _replace_tax_id(visit, form)
    return visit.finish()


def _replace_tax_id(visit: Visit, form: Json) -> None:
    wanted = {
        "type": form.get("tax_id_type") or _TAX_ID_TYPES[0],
        "value": str(form.get("tax_id", "")).strip(),
    }
    customer_id, before = visit.customer["id"], _tax_ids(visit)
    if any(wanted.items() <= each.items() for each in before):
        return
    for each in before:
        tax_ids.delete(visit.context, {}, customer_id, each["id"])
    if wanted["value"]:
        tax_ids.create(visit.context, wanted, customer_id)


def _tax_ids(visit: Visit) -> list[Json]:
    return visit.context.store.find("tax_id", customer=visit.customer["id"])


_PAGES = {"/home": _home, "/card": _card, "/cancel": _cancel, "/details": _details}
_FORMS = {
    "/home": _change_home,
    "/card": _add_card,
    "/cancel": _do_cancel,
    "/details": _change_details,
}
