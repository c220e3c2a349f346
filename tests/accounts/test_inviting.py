from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from accounts import inviting, team
from accounts.models import AuditEvent, Invitation, Membership, Notice, Role
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_user


@pytest.fixture
def invite(account, alice, membership):
    """Return a function by which alice invites somebody."""

    def invite(email="dora@example.com", role=Role.MEMBER, at=NOW):
        return inviting.invite(
            account=account, email=email, role=role, by=membership(alice), at=at
        )

    return invite


@pytest.fixture
def dora(db):
    user = make_user("dora@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True)
    return user


class TestInvite:
    def test_sends_a_link_that_is_kept_hashed(self, invite, account):
        invitation = invite()

        notice = Notice.objects.get()
        link = next(word for word in notice.text.split() if "/invitations/" in word)
        token = link.strip("/").rpartition("/")[2]
        assert notice.recipient == "dora@example.com"
        assert notice.subject == "alice@example.com invites you to Northwind Studio"
        assert len(token) == 22
        assert token.encode() not in bytes(invitation.secret_hash)
        assert inviting.find(token) == invitation

    def test_of_a_member_is_refused(self, invite, bob):
        with pytest.raises(inviting.AlreadyMember, match="is in the team already"):
            invite("Bob@example.com")

    def test_again_replaces_the_earlier_one(self, invite, account):
        earlier = invite()
        later = invite("Dora@example.com", role=Role.ADMIN)

        earlier.refresh_from_db()
        assert earlier.revoked_at == NOW
        assert list(inviting.pending_of(account)) == [later]

    def test_as_owner_takes_an_owner(self, account, adam, membership):
        with pytest.raises(team.OwnersOnly):
            inviting.invite(
                account=account,
                email="dora@example.com",
                role=Role.OWNER,
                by=membership(adam),
                at=NOW,
            )

    def test_is_recorded(self, invite):
        invite()

        event = AuditEvent.objects.get()
        assert (event.action, event.target) == ("invitation.sent", "dora@example.com")


class TestAccept:
    def test_makes_the_invited_a_member(self, invite, account, dora):
        invitation = invite(role=Role.BILLING)

        membership = inviting.accept(invitation=invitation, user=dora, at=NOW)

        invitation.refresh_from_db()
        assert (membership.account, membership.role) == (account, Role.BILLING)
        assert invitation.accepted_at == NOW
        assert Notice.objects.get(kind="member_joined").recipient == "alice@example.com"

    def test_works_once(self, invite, dora):
        invitation = invite()
        inviting.accept(invitation=invitation, user=dora, at=NOW)

        with pytest.raises(inviting.InvitationClosed, match="has been used"):
            inviting.accept(invitation=invitation, user=dora, at=NOW)

    def test_takes_the_invited_address(self, invite):
        stranger = make_user("eve@example.com")
        EmailAddress.objects.create(user=stranger, email=stranger.email, verified=True)

        with pytest.raises(inviting.OtherAddress, match="is for dora@"):
            inviting.accept(invitation=invite(), user=stranger, at=NOW)

    def test_takes_an_address_that_is_verified(self, invite, dora):
        EmailAddress.objects.update(verified=False)

        with pytest.raises(inviting.OtherAddress):
            inviting.accept(invitation=invite(), user=dora, at=NOW)

    def test_is_too_late_from_the_instant_of_expiry(self, invite, dora):
        invitation = invite()
        week = timedelta(days=7)

        with pytest.raises(inviting.InvitationClosed, match="has expired"):
            inviting.accept(invitation=invitation, user=dora, at=NOW + week)

        inviting.accept(
            invitation=invitation, user=dora, at=NOW + week - timedelta(seconds=1)
        )

    def test_of_a_revoked_one_is_refused(self, invite, alice, dora):
        invitation = invite()
        inviting.revoke(invitation=invitation, by=alice, at=NOW)

        with pytest.raises(inviting.InvitationClosed, match="was taken back"):
            inviting.accept(invitation=invitation, user=dora, at=NOW)


class TestRevoke:
    def test_does_not_touch_an_accepted_one(self, invite, alice, dora):
        invitation = invite()
        inviting.accept(invitation=invitation, user=dora, at=NOW)

        inviting.revoke(invitation=invitation, by=alice, at=NOW)

        invitation.refresh_from_db()
        assert invitation.revoked_at is None
        assert not AuditEvent.objects.filter(action="invitation.revoked").exists()


class TestWaitingFor:
    def test_finds_the_open_invitations_to_verified_addresses(self, invite, dora):
        invitation = invite()
        elsewhere = make_account("Contoso")
        owner = make_member(elsewhere, Role.OWNER)
        lapsed = inviting.invite(
            account=elsewhere,
            email="dora@example.com",
            role=Role.MEMBER,
            by=Membership.objects.get(user=owner),
            at=NOW - timedelta(days=7),
        )

        assert inviting.waiting_for(dora, at=NOW) == [invitation]
        assert Invitation.objects.filter(pk=lapsed.pk, revoked_at=None).exists()

    def test_finds_none_for_an_unverified_address(self, invite):
        invite()

        assert inviting.waiting_for(make_user("dora@example.com"), at=NOW) == []
