"""Invitations: a link by e-mail, good for seven days, for one verified address.

The link carries 128 random bits that are kept hashed. It only shows what is
offered: joining also takes a user who has verified the invited address.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import auditing, notifying, team
from accounts.models import Account, Invitation, Role

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Membership, User

LIFETIME = timedelta(days=7)
_TOKEN_BYTES = 16


class AlreadyMember(team.AccountsError):
    """The address belongs to a member."""

    def __init__(self, email: str) -> None:
        """Name the address."""
        super().__init__(
            _("%(email)s is in the team already.") % {"email": email},
        )


class InvitationClosed(team.AccountsError):
    """The invitation was accepted, revoked, or is too old."""


class OtherAddress(team.AccountsError):
    """The invitation is for an address that the user has not verified."""

    def __init__(self, email: str) -> None:
        """Name the address."""
        super().__init__(
            _("This invitation is for %(email)s. Sign in with that address to join.")
            % {"email": email}
        )


@transaction.atomic
def invite(
    *, account: Account, email: str, role: str, by: Membership, at: datetime
) -> Invitation:
    """Send somebody an invitation; an earlier one to the same address is revoked.

    Raises:
        AlreadyMember: the address belongs to a member.
        OwnersOnly: the role is owner, and `by` is not an owner.
    """
    if role == Role.OWNER and by.role != Role.OWNER:
        raise team.OwnersOnly
    # Two invitations to one address at once would meet in the unique constraint.
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if account.memberships.filter(user__email__iexact=email).exists():
        raise AlreadyMember(email)
    pending_of(account).filter(email__iexact=email).update(revoked_at=at)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    invitation = Invitation.objects.create(
        account=account,
        email=email,
        role=role,
        secret_hash=_hash(token),
        invited_by=by.user,
        expires_at=at + LIFETIME,
    )
    _record("invitation.sent", invitation, by=by.user, at=at)
    _send(invitation, token, at=at)
    return invitation


@transaction.atomic
def revoke(*, invitation: Invitation, by: User, at: datetime) -> None:
    """Take an invitation back; one that is closed already stays as it is."""
    is_open = Invitation.objects.filter(
        pk=invitation.pk, accepted_at=None, revoked_at=None
    )
    if is_open.update(revoked_at=at):
        _record("invitation.revoked", invitation, by=by, at=at)


@transaction.atomic
def accept(*, invitation: Invitation, user: User, at: datetime) -> Membership:
    """Make a user the member that they were invited to be.

    Raises:
        InvitationClosed: it was accepted or revoked, or it has expired.
        OtherAddress: the user has not verified the invited address.
    """
    locked = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(pk=invitation.pk)
    )
    check_open(locked, at=at)
    if not is_for(locked, user):
        raise OtherAddress(locked.email)
    locked.accepted_at = at
    locked.save(update_fields=["accepted_at"])
    return team.join(account=locked.account, user=user, role=locked.role, at=at)


def check_open(invitation: Invitation, *, at: datetime) -> None:
    """Refuse an invitation that can no longer be accepted.

    Raises:
        InvitationClosed: with the reason and the way forward.
    """
    if invitation.is_open(at=at):
        return
    if invitation.accepted_at:
        raise InvitationClosed(_("This invitation has been used."))
    if invitation.revoked_at:
        raise InvitationClosed(
            _("This invitation was taken back. Ask for a new one if you need it.")
        )
    raise InvitationClosed(_("This invitation has expired. Ask for a new one."))


def find(token: str) -> Invitation | None:
    """Return the invitation that a link names, whatever its state."""
    return (
        Invitation.objects.select_related("account", "invited_by")
        .filter(secret_hash=_hash(token))
        .first()
    )


def pending_of(account: Account) -> QuerySet[Invitation]:
    """Return an account's invitations that nobody accepted or revoked."""
    return account.invitations.filter(accepted_at=None, revoked_at=None)


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether a user has verified the address that was invited."""
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return bool(addresses.filter(email__iexact=invitation.email).exists())


def waiting_for(user: User, *, at: datetime) -> list[Invitation]:
    """Return the open invitations to the addresses that a user has verified."""
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    open_ones = Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=at
    )
    mine = open_ones.alias(address=Lower("email")).filter(
        address__in=addresses.values(address=Lower("email"))
    )
    return list(mine.select_related("account", "invited_by").order_by("pk"))


def _send(invitation: Invitation, token: str, *, at: datetime) -> None:
    path = reverse("accounts:invitation", args=[token])
    notifying.notify(
        kind="invitation",
        key=f"invitation:{invitation.pk}",
        recipients=[invitation.email],
        context={"invitation": invitation, "link": f"{settings.BASE_URL}{path}"},
        account=invitation.account,
        at=at,
    )


def _record(action: str, invitation: Invitation, *, by: User, at: datetime) -> None:
    auditing.record(
        action=action,
        actor=by,
        account=invitation.account,
        target=invitation.email,
        after={"role": invitation.role},
        at=at,
    )


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
