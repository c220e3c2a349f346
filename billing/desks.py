"""The desks of billing in the staff console, in the order in which they are shown."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.desks import Desk, register
from accounts.roles import StaffPermission
from billing import batches, work_items
from billing.adjusting import desk as adjustment_desk
from billing.console import due_work
from billing.disputes import doubts
from billing.finance import closing
from billing.outgoing import endpoints
from billing.reconciling import running
from billing.refunds import desk as refund_desk
from billing.webhooks import desk

register(
    Desk(
        "billing:staff_accounts",
        _("Accounts"),
        "users",
        StaffPermission.SEE_MONEY,
        about=_("Who pays for what, and what became of it."),
    ),
    Desk(
        "billing:staff_queue",
        _("Work queue"),
        "list",
        StaffPermission.WORK_QUEUE,
        about=_("Unbilled jobs, missing rates, and what else needs a person."),
        waiting=work_items.waiting,
    ),
    Desk(
        "billing:staff_adjustments",
        _("Adjustments"),
        "adjustments",
        StaffPermission.SEE_MONEY,
        about=_("Credits up or down, and what waits for a second person."),
        waiting=adjustment_desk.waiting,
    ),
    Desk(
        "billing:staff_bulk_files",
        _("Adjustment files"),
        "stack-2",
        StaffPermission.SEE_MONEY,
        about=_("Many accounts at once: tried out, made once, undone as a whole."),
        waiting=batches.files_waiting,
        is_daily=False,
    ),
    Desk(
        "billing:staff_make_goods",
        _("Make good"),
        "lifebuoy",
        StaffPermission.SEE_MONEY,
        about=_("What jobs cost during an incident, given back once."),
        waiting=batches.make_goods_waiting,
        is_daily=False,
    ),
    Desk(
        "billing:staff_refunds",
        _("Refunds"),
        "receipt",
        StaffPermission.SEE_MONEY,
        about=_("What went back, and what failed to."),
        waiting=refund_desk.waiting,
    ),
    Desk(
        "billing:staff_disputes",
        _("Disputes"),
        "alert-triangle",
        StaffPermission.SEE_MONEY,
        about=_("What banks ask back, and payments that may be fraud."),
        waiting=doubts.waiting,
    ),
    Desk(
        "billing:staff_reconciliation",
        _("Reconciliation"),
        "refresh",
        StaffPermission.SEE_MONEY,
        about=_("Where our books and Stripe's differ."),
        waiting=running.open_breaks,
    ),
    Desk(
        "billing:exports",
        _("Exports"),
        "download",
        StaffPermission.EXPORT,
        about=_("Tables as files: ledger, payments, reports, audit trail."),
    ),
    Desk(
        "billing:finance",
        _("Finance"),
        "chart-line",
        StaffPermission.SEE_FINANCE,
        about=_("The month: what is owed, earned and paid; and closing it."),
        waiting=closing.waiting,
    ),
    Desk(
        "billing:staff_catalogue",
        _("Catalogue"),
        "package",
        StaffPermission.MANAGE_CATALOGUE,
        about=_("What is sold and what jobs cost, by version; drafts of the next."),
        is_daily=False,
    ),
    Desk(
        "billing:staff_webhooks",
        _("Outgoing webhooks"),
        "arrow-right",
        StaffPermission.MANAGE_WEBHOOKS,
        about=_("What the product's backend is told, and whether it arrives."),
        waiting=endpoints.disabled,
        is_daily=False,
    ),
    Desk(
        "billing:staff_inbox",
        _("Webhook inbox"),
        "mail",
        StaffPermission.SEE_INBOX,
        about=_("What Stripe told, and what could not be acted on."),
        waiting=desk.attention,
        is_daily=False,
    ),
    Desk(
        "billing:staff_jobs",
        _("Background jobs"),
        "history",
        StaffPermission.OPEN_CONSOLE,
        about=_("What has to happen by itself, and whether any of it is late."),
        waiting=due_work.late,
        is_daily=False,
    ),
)
if settings.IS_STRIPE_SANDBOX:
    register(
        Desk(
            "billing:time",
            _("Time machine"),
            "clock",
            StaffPermission.TRAVEL,
            about=_("Move the clock of the portal and its sandbox forward."),
            is_daily=False,
        )
    )
