"""Who: people, accounts, keys, and what was done and said."""

from __future__ import annotations

from accounts.models.account import Account
from accounts.models.audit_event import AuditEvent
from accounts.models.membership import Invitation, Membership, Role
from accounts.models.notice import Notice
from accounts.models.service_key import Scope, ServiceKey
from accounts.models.staff_limit import StaffLimit
from accounts.models.user import User

__all__ = [
    "Account",
    "AuditEvent",
    "Invitation",
    "Membership",
    "Notice",
    "Role",
    "Scope",
    "ServiceKey",
    "StaffLimit",
    "User",
]
