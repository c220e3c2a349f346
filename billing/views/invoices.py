"""The invoices of an account, and the ways to Stripe's pages of each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission
from billing import invoice_list, stripe_gateway

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from billing.stripe_gateway import StripeInvoice


@require_safe
@requires(Permission.VIEW_BILLING)
def invoices(request: AccountRequest) -> HttpResponse:
    """List invoices, newest first: of one year, and from one on, if asked."""
    year, before = _number(request, "year"), _number(request, "before")
    page = invoice_list.invoices_of(request.account, year=year, before=before)
    context = {
        "page": page,
        "year": year,
        "newest_url": _address(year=year) if before else "",
        "older_url": _address(year=year, before=page.next_before)
        if page.next_before
        else "",
    }
    return render(request, "billing/invoices.html", context)


@require_safe
@requires(Permission.VIEW_BILLING)
def invoice_page(request: AccountRequest, invoice_id: int) -> HttpResponse:
    """Lead to Stripe's page of an invoice, where an open one can be paid."""
    fetched = _fetched(request, invoice_id)
    return _lead_to(request, fetched.hosted_url if fetched else "")


@require_safe
@requires(Permission.VIEW_BILLING)
def invoice_pdf(request: AccountRequest, invoice_id: int) -> HttpResponse:
    """Lead to Stripe's PDF of an invoice."""
    fetched = _fetched(request, invoice_id)
    return _lead_to(request, fetched.pdf_url if fetched else "")


def _fetched(request: AccountRequest, invoice_id: int) -> StripeInvoice | None:
    """Ask Stripe now: its links to an invoice end after some weeks."""
    invoice = get_object_or_404(request.account.invoices, pk=invoice_id)
    try:
        return stripe_gateway.invoice(invoice.stripe_invoice_id)
    except (stripe_gateway.StripeUnavailable, stripe_gateway.NotAtStripe):
        return None


def _lead_to(request: AccountRequest, url: str) -> HttpResponse:
    if url:
        return see_other(url)
    messages.error(request, _("Stripe has no page of this invoice right now."))
    return see_other("billing:invoices")


def _number(request: AccountRequest, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _address(*, year: int | None, before: int | None = None) -> str:
    query = {"year": year, "before": before}
    chosen = urlencode({name: value for name, value in query.items() if value})
    return reverse("billing:invoices") + (f"?{chosen}" if chosen else "")
