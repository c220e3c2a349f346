"""What each role may do: one table, asked by pages, templates and tests."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import Role


class Permission(TextChoices):
    """Something that a member may or may not do; the label completes “May …”."""

    VIEW_CREDITS = "VIEW_CREDITS", _("See credits, statement and rates")
    VIEW_BILLING = "VIEW_BILLING", _("See plan, payments and receipts")
    BUY_CREDITS = "BUY_CREDITS", _("Buy credits")
    CHANGE_PLAN = "CHANGE_PLAN", _("Change the plan")
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
