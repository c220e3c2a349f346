"""Notices: e-mails written into an outbox with the fact that they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.template import Context, engines

from accounts.models import Notice, Role, User
from accounts.roles import (
    PERMISSIONS,
    Permission,
    StaffGroup,
    StaffPermission,
    staff_may,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from django.template.backends.django import DjangoTemplates

    from accounts.models import Account

_SUBJECT = "Subject: "
_BILLING_ROLES = (Role.OWNER, Role.BILLING)


def notify(
    *,
    kind: str,
    key: str,
    recipients: Iterable[str],
    context: Mapping[str, Any],
    at: datetime,
    account: Account | None = None,
) -> None:
    """Write one e-mail to each recipient; call it in the fact's own transaction.

    `key` names the fact ("purchase_paid:17"): the same fact is told to the same
    address once. The texts are `emails/<kind>.txt`, whose first line is
    "Subject: …", and `emails/<kind>.html`.
    """
    subject, text, html = _render(kind, {**context, "account": account})
    for recipient in recipients:
        Notice.objects.get_or_create(
            key=f"{key}:{recipient.lower()}",
            defaults={
                "account": account,
                "kind": kind,
                "recipient": recipient,
                "subject": subject,
                "text": text,
                "html": html,
                "created_at": at,
                "next_attempt_at": at,
            },
        )


def billing_recipients(account: Account) -> list[str]:
    """Return who hears about money: owners, billing members, the billing address."""
    members = account.memberships.filter(
        role__in=_BILLING_ROLES, user__is_active=True
    ).order_by("pk")
    addresses = [*members.values_list("user__email", flat=True), account.billing_email]
    return list({address.lower(): address for address in addresses if address}.values())


def members_who_may(account: Account, permission: Permission) -> list[str]:
    """Return the addresses of the account's members with a permission."""
    roles = [role for role, permits in PERMISSIONS.items() if permission in permits]
    members = account.memberships.filter(role__in=roles, user__is_active=True)
    return list(members.order_by("pk").values_list("user__email", flat=True))


def staff_who_may(permission: StaffPermission) -> list[str]:
    """Return the addresses of the staff whose groups include a permission."""
    groups = [one for one in StaffGroup if staff_may([one], permission)]
    staff = User.objects.filter(is_active=True, is_staff=True, groups__name__in=groups)
    return list(staff.order_by("pk").values_list("email", flat=True).distinct())


def _render(kind: str, context: Mapping[str, Any]) -> tuple[str, str, str]:
    values = {
        **context,
        "base_url": settings.BASE_URL,
        "support_email": settings.SUPPORT_EMAIL,
    }
    plain = _from_template(f"emails/{kind}.txt", values, autoescape=False)
    first_line, _, text = plain.lstrip().partition("\n")
    if not first_line.startswith(_SUBJECT):
        raise ValueError(f"emails/{kind}.txt does not begin with “{_SUBJECT}”")
    subject = first_line.removeprefix(_SUBJECT).strip()
    html = _from_template(
        f"emails/{kind}.html", {**values, "subject": subject}, autoescape=True
    )
    return subject[:200], text.strip() + "\n", html


def _from_template(name: str, values: Mapping[str, Any], *, autoescape: bool) -> str:
    engine = cast("DjangoTemplates", engines["django"]).engine
    context = Context(dict(values), autoescape=autoescape)
    return str(engine.get_template(name).render(context))
