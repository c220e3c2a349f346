"""The team: who is in it, who is invited, and what each role may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts import inviting, team
from accounts.access import account_page, requires
from accounts.forms import InviteForm, RoleForm, roles_to_give
from accounts.http import see_other
from accounts.models import Role
from accounts.roles import Permission, may, who_may
from accounts.team import AccountsError
from config.clock import now

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import AccountRequest
    from accounts.models import Invitation, Membership


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as the viewer sees them; `can_change` is about role and removal."""

    pk: int
    name: str
    email: str
    role: str
    role_label: str
    last_sign_in_at: datetime | None
    is_me: bool
    can_change: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that nobody has accepted yet."""

    pk: int
    email: str
    role_label: str
    invited_by: str
    expires_at: datetime
    is_expired: bool


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """What the roles, in their order, say to one permission."""

    label: str
    grants: tuple[bool, ...]


@require_safe
@account_page
def team_page(request: AccountRequest) -> HttpResponse:
    """Show the team to every member; managers also get the controls."""
    return _page(request, InviteForm(by_role=request.membership.role))


@require_POST
@requires(Permission.MANAGE_TEAM)
def invite(request: AccountRequest) -> HttpResponse:
    """Send an invitation."""
    form = InviteForm(request.POST, by_role=request.membership.role)
    if not form.is_valid():
        return _page(request, form)
    try:
        invitation = inviting.invite(
            account=request.account,
            **form.cleaned_data,
            by=request.membership,
            at=now(),
        )
    except AccountsError as refused:
        form.add_error("email", str(refused))
        return _page(request, form)
    sent = _("The invitation to %(email)s is on its way.")
    messages.success(request, sent % {"email": invitation.email})
    return see_other("accounts:team")


@require_POST
@requires(Permission.MANAGE_TEAM)
def revoke_invitation(request: AccountRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(request.account.invitations, pk=invitation_id)
    inviting.revoke(invitation=invitation, by=request.user, at=now())
    revoked = _("The invitation to %(email)s is revoked.")
    messages.success(request, revoked % {"email": invitation.email})
    return see_other("accounts:team")


@require_POST
@requires(Permission.MANAGE_TEAM)
def change_role(request: AccountRequest, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    member = _member(request, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return see_other("accounts:team")
    role = Role(form.cleaned_data["role"])
    try:
        team.change_role(membership=member, role=role, by=request.membership, at=now())
    except AccountsError as refused:
        messages.error(request, str(refused))
    else:
        changed = _("%(name)s has the role %(role)s now.")
        values = {"name": member.user.display_name, "role": role.label}
        messages.success(request, changed % values)
    return see_other("accounts:team")


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_TEAM)
def remove_member(request: AccountRequest, membership_id: int) -> HttpResponse:
    """Say what removing a member means; remove them when that is confirmed."""
    member = _member(request, membership_id)
    if request.method != "POST":
        return render(request, "accounts/remove_member.html", {"member": member})
    try:
        team.remove(membership=member, by=request.membership, at=now())
    except AccountsError as refused:
        messages.error(request, str(refused))
    else:
        removed = _("%(name)s is no longer in the team.")
        messages.success(request, removed % {"name": member.user.display_name})
    return see_other("accounts:team")


def _page(request: AccountRequest, form: InviteForm) -> HttpResponse:
    at, my_role = now(), request.membership.role
    members = request.account.memberships.select_related("user").order_by("pk")
    pending = inviting.pending_of(request.account).select_related("invited_by")
    context = {
        "form": form,
        "may_manage": may(my_role, Permission.MANAGE_TEAM),
        "managers": who_may(Permission.MANAGE_TEAM),
        "members": [_member_row(member, request.membership) for member in members],
        "invitations": [_invitation_row(i, at=at) for i in pending.order_by("-pk")],
        "roles_to_give": roles_to_give(my_role),
        "role_labels": Role.labels,
        "permissions": [_permission_row(permission) for permission in Permission],
    }
    status = 422 if form.errors else 200
    return render(request, "accounts/team.html", context, status=status)


def _member(request: AccountRequest, membership_id: int) -> Membership:
    members = request.account.memberships.select_related("user")
    return get_object_or_404(members, pk=membership_id)


def _member_row(member: Membership, viewer: Membership) -> MemberRow:
    is_within_reach = viewer.role == Role.OWNER or member.role != Role.OWNER
    return MemberRow(
        pk=member.pk,
        name=member.user.name,
        email=member.user.email,
        role=member.role,
        role_label=member.get_role_display(),
        last_sign_in_at=member.user.last_login,
        is_me=member == viewer,
        can_change=may(viewer.role, Permission.MANAGE_TEAM) and is_within_reach,
    )


def _invitation_row(invitation: Invitation, *, at: datetime) -> InvitationRow:
    return InvitationRow(
        pk=invitation.pk,
        email=invitation.email,
        role_label=invitation.get_role_display(),
        invited_by=invitation.invited_by.display_name,
        expires_at=invitation.expires_at,
        is_expired=not invitation.is_open(at=at),
    )


def _permission_row(permission: Permission) -> PermissionRow:
    grants = tuple(may(role, permission) for role in Role)
    return PermissionRow(label=str(permission.label), grants=grants)
