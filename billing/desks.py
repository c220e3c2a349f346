"""The desks of billing in the staff console, in the order in which they are shown."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.desks import Desk, register
from accounts.roles import StaffPermission
from billing import disputes, refund_desk
from billing.outgoing import endpoints
from billing.reconciling import running
from billing.webhooks import desk

register(
    Desk(
        "billing:staff_accounts",
        _("Accounts"),
        "users",
        StaffPermission.SEE_MONEY,
        about=_("Who pays for what, and what became of it."),
    )
)
register(
    Desk(
        "billing:staff_refunds",
        _("Refunds"),
        "receipt",
        StaffPermission.SEE_MONEY,
        about=_("What went back, and what failed to."),
        waiting=refund_desk.waiting,
    )
)
register(
    Desk(
        "billing:staff_disputes",
        _("Disputes"),
        "alert-triangle",
        StaffPermission.SEE_MONEY,
        about=_("What banks ask back, and payments that may be fraud."),
        waiting=disputes.waiting,
    )
)
register(
    Desk(
        "billing:staff_reconciliation",
        _("Reconciliation"),
        "refresh",
        StaffPermission.SEE_MONEY,
        about=_("Where our books and Stripe's differ."),
        waiting=running.open_breaks,
    )
)
register(
    Desk(
        "billing:staff_webhooks",
        _("Outgoing webhooks"),
        "arrow-right",
        StaffPermission.MANAGE_WEBHOOKS,
        about=_("What the product's backend is told, and whether it arrives."),
        waiting=endpoints.disabled,
    )
)
register(
    Desk(
        "billing:staff_inbox",
        _("Webhook inbox"),
        "mail",
        StaffPermission.SEE_INBOX,
        about=_("What Stripe told, and what could not be acted on."),
        waiting=desk.attention,
    )
)
if settings.IS_STRIPE_SANDBOX:
    register(
        Desk(
            "billing:time",
            _("Time machine"),
            "clock",
            StaffPermission.TRAVEL,
            about=_("Move the clock of the portal and its sandbox forward."),
        )
    )
