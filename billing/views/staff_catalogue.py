"""The catalogue desk: rate cards, plans and blocks by version, and open drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from billing.models import BlockOffer, OfferDraft, PlanVersion
from billing.plans import drafts as plan_drafts
from config.clock import now
from credits import quoting
from credits.models import DraftState, RateCard, RateDraft

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import StaffRequest

_CLOSED_LISTED = 10


class _Version(Protocol):
    starts_at: datetime


_V = TypeVar("_V", bound=_Version)


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def catalogue_page(request: StaffRequest) -> HttpResponse:
    """List what is in force, what comes, what was, and what is drafted."""
    at = now()
    cards = RateCard.objects.order_by("rate_plan", "-starts_at")
    sold = PlanVersion.objects.filter(plan__in=plan_drafts.plans_to_draft())
    versions = sold.select_related("plan").order_by("plan__position", "-starts_at")
    blocks = BlockOffer.objects.order_by("-starts_at")
    rates = RateDraft.objects.select_related("based_on", "drafted_by").order_by("-pk")
    offers = OfferDraft.objects.select_related("plan", "drafted_by").order_by("-pk")
    closed = [DraftState.PUBLISHED, DraftState.WITHDRAWN]
    context = {
        "cards": _standing(cards, lambda card: card.rate_plan, at=at),
        "versions": _standing(versions, lambda version: version.plan_id, at=at),
        "blocks": _standing(blocks, lambda _: None, at=at),
        "rate_drafts": rates.filter(state=DraftState.OPEN),
        "offer_drafts": offers.filter(state=DraftState.OPEN),
        "closed_rate_drafts": rates.filter(state__in=closed)[:_CLOSED_LISTED],
        "closed_offer_drafts": offers.filter(state__in=closed)[:_CLOSED_LISTED],
    }
    return render(request, "billing/staff/catalogue.html", context)


@require_safe
@staff_page(StaffPermission.MANAGE_CATALOGUE)
def rate_card_page(request: StaffRequest, rate_plan: str, version: int) -> HttpResponse:
    """Show the rates of a published card."""
    try:
        table = quoting.rate_table(rate_plan, version)
    except RateCard.DoesNotExist as unknown:
        raise Http404 from unknown
    return render(request, "billing/staff/rate_card.html", {"table": table})


def _standing(
    rows: Iterable[_V], offer_of: Callable[[_V], Hashable], *, at: datetime
) -> list[tuple[_V, str, str, bool]]:
    """Return each version, where it stands, and whether it is the last of its offer.

    `rows` have the last version of each offer first.
    """
    seen: set[Hashable] = set()
    begun: set[Hashable] = set()
    standing = []
    for row in rows:
        offer = offer_of(row)
        if row.starts_at > at:
            text, level = _("Coming"), "info"
        elif offer in begun:
            text, level = _("Past"), "neutral"
        else:
            text, level = _("In force"), "success"
            begun.add(offer)
        standing.append((row, text, level, offer not in seen))
        seen.add(offer)
    return standing
