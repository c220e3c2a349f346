"""What happens here when something happened elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from allauth.account.signals import email_confirmed
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts import access, inviting, tasks
from accounts.models import Notice
from accounts.team import AccountsError
from config.clock import now

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress
    from django.http import HttpRequest

    from accounts.models import User


@receiver(post_save, sender=Notice)
def send_soon(*, created: bool, **_: object) -> None:
    """Have a new notice sent as soon as it is committed."""
    if created:
        # Without a broker the next minute's run sends it.
        transaction.on_commit(tasks.send_due_notices.delay, robust=True)


@receiver(email_confirmed)
def join_after_sign_up(
    *, request: HttpRequest | None, email_address: EmailAddress, **_: object
) -> None:
    """Let whoever signed up from an invitation join when the address is verified.

    In another browser the session does not know the invitation: then the page for
    users without an account offers it.
    """
    invitation = access.invitation_in_hand(request, at=now()) if request else None
    if request is None or invitation is None:
        return
    user = cast("User", email_address.user)
    # One that cannot be accepted explains itself on the page for new accounts.
    try:
        inviting.accept(invitation=invitation, user=user, at=now())
    except AccountsError:
        return
    access.use_account(request, invitation.account)
