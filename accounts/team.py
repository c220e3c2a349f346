"""Accounts and their members: who joins, in which role, and who leaves.

An account always has an owner who can sign in, and only owners make or unmake
owners. Every change locks all memberships of the account, in the order of their
ids, so two changes at once cannot each leave the other as the last owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing, notifying
from accounts.models import Account, Membership, Role
from accounts.roles import Permission

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import AuditEvent, User


class AccountsError(Exception):
    """A rule of this app refuses; the text says why, fit for the person who asked."""


class LastOwner(AccountsError):
    """The account would be left without an owner."""

    def __init__(self) -> None:
        """Say how to get out."""
        super().__init__(
            _("This is the account's only owner. Make somebody else an owner first.")
        )


class OwnersOnly(AccountsError):
    """Somebody who is not an owner touched an owner's role."""

    def __init__(self) -> None:
        """Say who can."""
        super().__init__(_("Only an owner can invite, change or remove an owner."))


class NoLongerMember(AccountsError):
    """Somebody left while the page was open."""

    def __init__(self) -> None:
        """Say what happened."""
        super().__init__(_("This person is no longer in the team."))


@transaction.atomic
def open_account(*, name: str, owner: User, at: datetime, country: str = "") -> Account:
    """Open an account that a user owns; its country is an ISO code."""
    account = Account.objects.create(name=name, country=country)
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    auditing.record(
        action="account.opened",
        actor=owner,
        account=account,
        target=str(account),
        after={"name": name, "owner": owner.email},
        at=at,
    )
    return account


@transaction.atomic
def join(*, account: Account, user: User, role: str, at: datetime) -> Membership:
    """Add a user to an account; a member stays what they are."""
    membership, joined = Membership.objects.get_or_create(
        account=account, user=user, defaults={"role": role}
    )
    if joined:
        _record("member.joined", membership, by=user, after={"role": role}, at=at)
        _tell_joined(membership, at=at)
    return membership


@transaction.atomic
def change_role(
    *, membership: Membership, role: str, by: Membership, at: datetime
) -> None:
    """Give a member another role, in force with their next request.

    Raises:
        LastOwner: nobody else owns the account.
        OwnersOnly: one of the two roles is owner, and `by` is not an owner.
        NoLongerMember: either has left.
    """
    team = _lock_team(membership)
    member, actor = _member(team, membership), _member(team, by)
    before = member.role
    if role == before:
        return
    _check_ownership(team, member, becomes=role, actor=actor)
    member.role = role
    member.save(update_fields=["role"])
    event = _record(
        "member.role_changed",
        member,
        by=actor.user,
        before={"role": before},
        after={"role": role},
        at=at,
    )
    _tell_member("role_changed", member, by=actor.user, fact=event.pk, at=at)


@transaction.atomic
def remove(*, membership: Membership, by: Membership, at: datetime) -> None:
    """Take a member out of the account; keys that they made stay.

    Raises:
        LastOwner: nobody else owns the account.
        OwnersOnly: the member is an owner, and `by` is not.
        NoLongerMember: either has left.
    """
    team = _lock_team(membership)
    member, actor = _member(team, membership), _member(team, by)
    _check_ownership(team, member, becomes=None, actor=actor)
    event = _record(
        "member.removed", member, by=actor.user, before={"role": member.role}, at=at
    )
    _tell_member("member_removed", member, by=actor.user, fact=event.pk, at=at)
    member.delete()


def _lock_team(membership: Membership) -> dict[int, Membership]:
    members = (
        Membership.objects.select_for_update(of=("self",), no_key=True)
        .filter(account_id=membership.account_id)
        .select_related("account", "user")
        .order_by("pk")
    )
    return {member.pk: member for member in members}


def _member(team: dict[int, Membership], membership: Membership) -> Membership:
    try:
        return team[membership.pk]
    except KeyError:
        raise NoLongerMember from None


def _check_ownership(
    team: dict[int, Membership],
    member: Membership,
    *,
    becomes: str | None,
    actor: Membership,
) -> None:
    # The roles of both are those read under the lock, not those of the open page.
    touches_owner = Role.OWNER in {member.role, becomes}
    if touches_owner and actor.role != Role.OWNER:
        raise OwnersOnly
    others = (other for other in team.values() if other != member)
    is_owned = any(o.role == Role.OWNER and o.user.is_active for o in others)
    if member.role == Role.OWNER and not is_owned:
        raise LastOwner


def _record(
    action: str,
    member: Membership,
    *,
    by: User,
    at: datetime,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> AuditEvent:
    return auditing.record(
        action=action,
        actor=by,
        account=member.account,
        target=member.user.email,
        before=before,
        after=after,
        at=at,
    )


def _tell_joined(member: Membership, *, at: datetime) -> None:
    managers = notifying.members_who_may(member.account, Permission.MANAGE_TEAM)
    notifying.notify(
        kind="member_joined",
        key=f"member_joined:{member.pk}",
        recipients=[email for email in managers if email != member.user.email],
        context={"member": member, "who": _in_full(member.user)},
        account=member.account,
        at=at,
    )


def _tell_member(
    kind: str, member: Membership, *, by: User, fact: int, at: datetime
) -> None:
    """Write to the member and to whoever did it, so that neither is impersonated."""
    notifying.notify(
        kind=kind,
        key=f"{kind}:{fact}",
        recipients=dict.fromkeys([member.user.email, by.email]),
        context={
            "member": member,
            "who": _in_full(member.user),
            "by": by.display_name,
        },
        account=member.account,
        at=at,
    )


def _in_full(user: User) -> str:
    return f"{user.name} ({user.email})" if user.name else user.email
