"""What everything costs, and a calculator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.http import is_htmx
from accounts.roles import Permission
from config.clock import now
from credits import quoting
from credits.forms import CalculatorForm
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest


@require_safe
@requires(Permission.VIEW_CREDITS)
def rates(request: AccountRequest) -> HttpResponse:
    """Show the rates in force for the account; htmx asks for the calculator only."""
    wallet = get_object_or_404(Wallet, account=request.account, unit=WalletUnit.CREDITS)
    table = quoting.rates_in_force(rate_plan=wallet.rate_plan, at=now())
    form = CalculatorForm(table, request.GET)
    calculation = (
        quoting.calculate(form.rate, form.quantity) if form.is_valid() else None
    )
    template = "credits/_calculator.html" if is_htmx(request) else "credits/rates.html"
    return render(
        request, template, {"rates": table, "form": form, "calculation": calculation}
    )
