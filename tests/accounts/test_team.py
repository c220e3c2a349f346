from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import team
from accounts.models import AuditEvent, Membership, Notice, Role
from tests.conftest import NOW
from tests.factories import make_member, make_user


class TestOpenAccount:
    def test_makes_the_user_its_owner(self, db):
        dora = make_user("dora@example.com")

        account = team.open_account(name="Dora & Co", owner=dora, at=NOW)

        [membership] = account.memberships.all()
        assert (membership.user, membership.role) == (dora, Role.OWNER)
        assert AuditEvent.objects.get().action == "account.opened"


class TestJoin:
    def test_leaves_a_member_as_they_are(self, account, bob):
        team.join(account=account, user=bob, role=Role.ADMIN, at=NOW)

        assert Membership.objects.get(user=bob).role == Role.MEMBER
        assert not AuditEvent.objects.exists()

    def test_tells_the_other_managers(self, account, alice, adam, bob):
        dora = make_user("dora@example.com")

        team.join(account=account, user=dora, role=Role.ADMIN, at=NOW)

        told = Notice.objects.values_list("recipient", flat=True)
        assert set(told) == {alice.email, adam.email}


class TestChangeRole:
    def test_is_recorded_and_told_to_both(self, alice, bob, membership):
        team.change_role(
            membership=membership(bob), role=Role.BILLING, by=membership(alice), at=NOW
        )

        event = AuditEvent.objects.get()
        assert (event.before, event.after) == ({"role": "MEMBER"}, {"role": "BILLING"})
        assert event.target == "bob@example.com"
        told = Notice.objects.values_list("recipient", flat=True)
        assert set(told) == {"alice@example.com", "bob@example.com"}

    def test_to_the_same_role_is_nothing(self, alice, bob, membership):
        team.change_role(
            membership=membership(bob), role=Role.MEMBER, by=membership(alice), at=NOW
        )

        assert not AuditEvent.objects.exists()

    def test_of_the_last_owner_is_refused(self, alice, membership):
        with pytest.raises(team.LastOwner, match="Make somebody else an owner first"):
            team.change_role(
                membership=membership(alice),
                role=Role.ADMIN,
                by=membership(alice),
                at=NOW,
            )

    def test_does_not_count_an_owner_who_cannot_sign_in(
        self, account, alice, membership
    ):
        gone = make_member(account, Role.OWNER)
        gone.is_active = False
        gone.save()

        with pytest.raises(team.LastOwner):
            team.change_role(
                membership=membership(alice),
                role=Role.ADMIN,
                by=membership(alice),
                at=NOW,
            )

    @pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
    def test_of_an_owner_takes_an_owner(self, alice, adam, membership, role):
        with pytest.raises(team.OwnersOnly):
            team.change_role(
                membership=membership(alice), role=role, by=membership(adam), at=NOW
            )

    def test_to_owner_takes_an_owner(self, alice, adam, membership):
        with pytest.raises(team.OwnersOnly):
            team.change_role(
                membership=membership(adam),
                role=Role.OWNER,
                by=membership(adam),
                at=NOW,
            )

    def test_judges_the_actor_by_the_role_they_have_now(
        self, account, alice, bob, membership
    ):
        stale = membership(alice)
        make_member(account, Role.OWNER)
        Membership.objects.filter(user=alice).update(role=Role.ADMIN)

        with pytest.raises(team.OwnersOnly):
            team.change_role(
                membership=membership(bob), role=Role.OWNER, by=stale, at=NOW
            )

    def test_of_somebody_who_left_says_so(self, alice, bob, membership):
        stale = membership(bob)
        Membership.objects.filter(user=bob).delete()

        with pytest.raises(team.NoLongerMember):
            team.change_role(
                membership=stale, role=Role.ADMIN, by=membership(alice), at=NOW
            )


class TestRemove:
    def test_is_recorded_and_told_to_both(self, alice, bob, membership):
        team.remove(membership=membership(bob), by=membership(alice), at=NOW)

        assert not Membership.objects.filter(user=bob).exists()
        assert AuditEvent.objects.get().before == {"role": "MEMBER"}
        told = Notice.objects.values_list("recipient", flat=True)
        assert set(told) == {"alice@example.com", "bob@example.com"}

    def test_of_the_last_owner_is_refused(self, alice, membership):
        with pytest.raises(team.LastOwner):
            team.remove(membership=membership(alice), by=membership(alice), at=NOW)

    def test_of_an_owner_takes_an_owner(self, alice, adam, membership):
        with pytest.raises(team.OwnersOnly):
            team.remove(membership=membership(alice), by=membership(adam), at=NOW)


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestTwoOwnersAtOnce:
    @pytest.mark.parametrize("round_number", range(5))
    def test_cannot_both_step_down(self, account, alice, membership, round_number):
        other = make_member(account, Role.OWNER)

        with ThreadPoolExecutor(max_workers=2) as workers:
            outcomes = workers.map(_step_down, [membership(alice), membership(other)])

        assert sorted(outcomes) == ["LastOwner", "stepped down"]
        assert account.memberships.filter(role=Role.OWNER).count() == 1

    def test_cannot_both_remove_the_other(self, account, alice, membership):
        other = make_member(account, Role.OWNER)
        pair = [membership(alice), membership(other)]

        with ThreadPoolExecutor(max_workers=2) as workers:
            list(workers.map(_remove, pair, reversed(pair)))

        assert account.memberships.filter(role=Role.OWNER).count() == 1


def _step_down(owner):
    try:
        team.change_role(membership=owner, role=Role.ADMIN, by=owner, at=NOW)
    except team.LastOwner:
        return "LastOwner"
    finally:
        connection.close()
    return "stepped down"


def _remove(owner, by):
    try:
        team.remove(membership=owner, by=by, at=NOW)
    except team.AccountsError:
        return
    finally:
        connection.close()
