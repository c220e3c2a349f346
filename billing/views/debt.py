"""What an account owes, and paying it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import requires
from accounts.http import see_other
from accounts.roles import Permission, may
from billing import stripe_gateway
from billing.refunds import debts, paying_debts
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest


@require_safe
@requires(Permission.VIEW_BILLING)
def debt(request: AccountRequest) -> HttpResponse:
    """Show what is owed and why, after asking about a payment of it: the way back."""
    waiting = paying_debts.open_payment(request.account)
    if waiting:
        # Silence changes nothing: webhook and sweeper will tell.
        with suppress(stripe_gateway.StripeUnavailable):
            paying_debts.settle(waiting, at=now())
    context = {
        "owed": debts.owed_by(request.account.pk),
        "may_pay": may(request.membership.role, Permission.BUY_CREDITS),
    }
    return render(request, "billing/debt.html", context)


@require_POST
@requires(Permission.BUY_CREDITS)
def pay_debt(request: AccountRequest) -> HttpResponse:
    """Send the payer to the page where all that is owed is paid."""
    try:
        payment = paying_debts.pay(
            account=request.account, payer=request.user, at=now()
        )
    except (paying_debts.NothingOwed, paying_debts.PaymentInProgress) as refused:
        messages.info(request, str(refused))
        return see_other("billing:debt")
    except stripe_gateway.StripeUnavailable:
        messages.error(
            request, _("Stripe cannot be reached right now. Try again in a moment.")
        )
        return see_other("billing:debt")
    return see_other(payment.checkout_url)
