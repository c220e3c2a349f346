"""The invoices of an account, and the ways to Stripe's pages of each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission
from billing import stripe_gateway
from billing.subscriptions import invoice_list
from credits.spreadsheets import csv_of

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
        "csv_url": _address("billing:invoices_csv", year=year),
        "newest_url": _address("billing:invoices", year=year) if before else "",
        "older_url": _address("billing:invoices", year=year, before=page.next_before)
        if page.next_before
        else "",
    }
    return render(request, "billing/invoices.html", context)


@require_safe
@requires(Permission.VIEW_BILLING)
def invoices_csv(request: AccountRequest) -> StreamingHttpResponse:
    """Send all invoices, or those of one year, as a table for the accountant."""
    year = _number(request, "year")
    rows = invoice_list.table_of(request.account, year=year, address_of=_pdf_address)
    name = f"invoices-{year}.csv" if year else "invoices.csv"
    return StreamingHttpResponse(
        csv_of(invoice_list.COLUMNS, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


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


def _pdf_address(invoice_id: int) -> str:
    # Of ours: it stays, while Stripe's end after some weeks.
    return f"{settings.BASE_URL}{reverse('billing:invoice_pdf', args=[invoice_id])}"


def _number(request: AccountRequest, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _address(name: str, *, year: int | None, before: int | None = None) -> str:
    query = {"year": year, "before": before}
    chosen = urlencode({key: value for key, value in query.items() if value})
    return reverse(name) + (f"?{chosen}" if chosen else "")
