"""What a customer sees first: the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import requires
from accounts.roles import Permission, may, who_may
from billing.disputes import doubts
from billing.overview import overview_of
from billing.reloads.page import reload_notice
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http import AccountRequest


@require_safe
@requires(Permission.VIEW_CREDITS)
def overview(request: AccountRequest) -> HttpResponse:
    """Show the balance, what it is made of, the plan and what happened last."""
    at = now()
    context = {
        "overview": overview_of(
            request.account, time_zone=request.user.time_zone, at=at
        ),
        "reload": reload_notice(request.account, at=at),
        "doubts": doubts.doubts_of(request.account.pk),
        "may_buy": may(request.membership.role, Permission.BUY_CREDITS),
        "may_see_billing": may(request.membership.role, Permission.VIEW_BILLING),
        "buyers": who_may(Permission.BUY_CREDITS),
    }
    return render(request, "billing/overview.html", context)
