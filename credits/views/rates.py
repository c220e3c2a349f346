"""What everything costs, and a calculator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.http import is_htmx
from accounts.roles import Permission
from config.clock import now
from credits import quoting
from credits.forms import CalculatorForm
from credits.views.units import chosen_wallet

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest


@require_safe
@requires(Permission.VIEW_CREDITS)
def rates(request: AccountRequest) -> HttpResponse:
    """Show the rates in force for the account; htmx asks for the calculator only."""
    chosen = chosen_wallet(request)
    table = quoting.rates_in_force(rate_plan=chosen.wallet.rate_plan, at=now())
    form = CalculatorForm(table, request.GET)
    calculation = (
        quoting.calculate(form.rate, form.quantity) if form.is_valid() else None
    )
    template = "credits/_calculator.html" if is_htmx(request) else "credits/rates.html"
    context = {
        "rates": table,
        "form": form,
        "calculation": calculation,
        "units": chosen.tabs,
        "unit": chosen.unit,
    }
    return render(request, template, context)
