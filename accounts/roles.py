"""What each role and each staff group may do: asked by pages, templates and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import Role

if TYPE_CHECKING:
    from collections.abc import Iterable


class Permission(TextChoices):
    """Something that a member may or may not do; the label completes “May …”."""

    VIEW_CREDITS = "VIEW_CREDITS", _("See credits, statement and rates")
    VIEW_BILLING = "VIEW_BILLING", _("See plan, payments and receipts")
    BUY_CREDITS = "BUY_CREDITS", _("Buy credits")
    CHANGE_PLAN = "CHANGE_PLAN", _("Change the plan")
    MANAGE_CARDS = "MANAGE_CARDS", _("Save, choose and remove cards")
    MANAGE_TEAM = "MANAGE_TEAM", _("Invite, change and remove members")
    MANAGE_KEYS = "MANAGE_KEYS", _("Create and revoke API keys")
    MANAGE_SETTINGS = "MANAGE_SETTINGS", _("Change the account's settings")


_EVERYTHING = frozenset(Permission)
PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.ADMIN: _EVERYTHING,
    Role.BILLING: frozenset(
        {
            Permission.VIEW_CREDITS,
            Permission.VIEW_BILLING,
            Permission.BUY_CREDITS,
            Permission.CHANGE_PLAN,
            Permission.MANAGE_CARDS,
        }
    ),
    Role.MEMBER: frozenset({Permission.VIEW_CREDITS}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether a role includes a permission; an unknown role includes none."""
    return permission in PERMISSIONS.get(role, frozenset())


def who_may(permission: Permission) -> list[str]:
    """Return the labels of the roles that include a permission, highest first."""
    return [str(role.label) for role in Role if may(role, permission)]


class StaffGroup(TextChoices):
    """The operator's own people, as Django groups of these names."""

    SUPPORT = "STAFF_SUPPORT", _("Support")
    ADMIN = "STAFF_ADMIN", _("Staff admin")
    FINANCE = "STAFF_FINANCE", _("Finance")


class StaffPermission(TextChoices):
    """Something that staff may or may not do; the label completes “May …”."""

    OPEN_CONSOLE = "OPEN_CONSOLE", _("Open the staff console")
    ADJUST = "ADJUST", _("Adjust credits, and propose what others approve")
    APPROVE = "APPROVE", _("Approve what others propose")
    WORK_QUEUE = "WORK_QUEUE", _("Work on what waits in the queue")
    MANAGE_CATALOGUE = "MANAGE_CATALOGUE", _("Draft and publish plans and rates")
    SEE_FINANCE = "SEE_FINANCE", _("See the finance pages")
    CLOSE_MONTHS = "CLOSE_MONTHS", _("Close months")
    EXPORT = "EXPORT", _("Export reports")
    SEE_MONEY = "SEE_MONEY", _("See payments, refunds and disputes")
    MOVE_MONEY = "MOVE_MONEY", _("Refund, cancel plans and settle debts")
    WORK_DISPUTES = "WORK_DISPUTES", _("Work on disputes and fraud warnings")
    RECONCILE = "RECONCILE", _("Repair differences from Stripe")
    SEE_INBOX = "SEE_INBOX", _("See what Stripe told")
    WORK_INBOX = "WORK_INBOX", _("Replay and ignore what Stripe told")
    MANAGE_WEBHOOKS = "MANAGE_WEBHOOKS", _("Manage webhooks to the product's backend")
    TRAVEL = "TRAVEL", _("Move the clock of the sandbox")


_ALL_STAFF = frozenset(
    {
        StaffPermission.OPEN_CONSOLE,
        StaffPermission.SEE_MONEY,
        StaffPermission.SEE_INBOX,
        StaffPermission.TRAVEL,
    }
)
STAFF_PERMISSIONS: dict[str, frozenset[StaffPermission]] = {
    StaffGroup.SUPPORT: _ALL_STAFF
    | {
        StaffPermission.ADJUST,
        StaffPermission.WORK_INBOX,
        StaffPermission.WORK_QUEUE,
    },
    StaffGroup.ADMIN: frozenset(StaffPermission),
    StaffGroup.FINANCE: _ALL_STAFF
    | {
        StaffPermission.APPROVE,
        StaffPermission.CLOSE_MONTHS,
        StaffPermission.EXPORT,
        StaffPermission.RECONCILE,
        StaffPermission.SEE_FINANCE,
        StaffPermission.WORK_DISPUTES,
    },
}


def staff_may(groups: Iterable[str], permission: StaffPermission) -> bool:
    """Whether one of these groups includes a permission; unknown ones include none."""
    return any(permission in STAFF_PERMISSIONS.get(one, ()) for one in groups)


def which_staff_may(permission: StaffPermission) -> list[str]:
    """Return the labels of the staff groups that include a permission."""
    return [str(one.label) for one in StaffGroup if staff_may([one], permission)]
