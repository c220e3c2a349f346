"""Payment methods: the saved cards, the one that pays, and the way to save another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may, who_may
from billing import cards, stripe_gateway
from billing.forms import AddCardForm
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest


@require_safe
@requires(Permission.VIEW_BILLING)
def card_list(request: AccountRequest) -> HttpResponse:
    """List the saved cards; also the way back from saving one."""
    try:
        if session_id := request.GET.get("saved", ""):
            return _note_saved(request, session_id)
        rows = cards.cards_of(request.account, at=now())
    except stripe_gateway.StripeUnavailable:
        return _page(request, [], problem=_silence(), status=503)
    return _page(request, rows)


@require_POST
@requires(Permission.MANAGE_CARDS)
def add_card(request: AccountRequest) -> HttpResponse:
    """Lead to Stripe's page where a card is saved."""
    form = AddCardForm(request.POST)
    if not form.is_valid():
        return see_other("billing:cards")
    try:
        url = cards.open_page(
            request.account,
            by=request.user,
            form_key=form.cleaned_data["form_key"],
            at=now(),
        )
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _silence())
        return see_other("billing:cards")
    return see_other(url)


@require_POST
@requires(Permission.MANAGE_CARDS)
def default_card(request: AccountRequest, card_id: str) -> HttpResponse:
    """Let a card pay from now on."""
    try:
        card = _card(request, card_id)
        cards.make_default(request.account, card, by=request.user, at=now())
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _silence())
    else:
        messages.success(
            request, _("%(card)s pays from now on.") % {"card": _name(card)}
        )
    return see_other("billing:cards")


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CARDS)
def remove_card(request: AccountRequest, card_id: str) -> HttpResponse:
    """Say what goes with a card and, when that is confirmed, forget it."""
    try:
        card = _card(request, card_id)
        if request.method != "POST":
            context = {"card": card, "consequences": _consequences(card)}
            return render(request, "billing/remove_card.html", context)
        cards.remove(request.account, card, by=request.user, at=now())
    except stripe_gateway.StripeUnavailable:
        messages.error(request, _silence())
    else:
        messages.success(request, _("%(card)s is removed.") % {"card": _name(card)})
    return see_other("billing:cards")


def _note_saved(request: AccountRequest, session_id: str) -> HttpResponse:
    try:
        saved = cards.note_saved(request.account, session_id, by=request.user, at=now())
    except stripe_gateway.NotAtStripe as unknown:
        raise Http404 from unknown
    if saved:
        messages.success(
            request,
            _("The card ending in %(last4)s is saved.") % {"last4": saved.last4},
        )
    return see_other("billing:cards")


def _page(
    request: AccountRequest,
    rows: list[cards.CardRow],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "cards": rows,
        "problem": problem,
        "may_manage": may(request.membership.role, Permission.MANAGE_CARDS),
        "managers": who_may(Permission.MANAGE_CARDS),
        "form_key": uuid4().hex,
    }
    return render(request, "billing/cards.html", context, status=status)


def _card(request: AccountRequest, card_id: str) -> cards.CardRow:
    card = cards.card_of(request.account, card_id, at=now())
    if card is None:
        raise Http404
    return card


def _consequences(card: cards.CardRow) -> list[str]:
    said = []
    if card.pays_for_reloads:
        said.append(_("Auto-reload charges this card. It is turned off."))
    if card.pays_for_plan:
        said.append(
            _(
                "Your plan renews with this card. Make another card the default"
                " first, or the next renewal fails."
            )
        )
    return [*said, _("It cannot be charged again. To use it later, save it again.")]


def _name(card: cards.CardRow) -> str:
    return f"{card.brand} {card.last4}"


def _silence() -> str:
    return _("Stripe cannot be reached right now. Nothing was charged. Try again.")
