from __future__ import annotations

import pytest

from accounts.models import Role
from accounts.roles import PERMISSIONS, Permission, may, who_may

VIEWS = {Permission.VIEW_CREDITS, Permission.VIEW_BILLING}


class TestRoles:
    def test_are_all_in_the_table(self):
        assert list(PERMISSIONS) == list(Role)

    @pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
    def test_of_managers_include_everything(self, role):
        assert PERMISSIONS[role] == set(Permission)

    def test_billing_buys_and_changes_plans_but_manages_nothing(self):
        buys = {
            Permission.BUY_CREDITS,
            Permission.CHANGE_PLAN,
            Permission.MANAGE_CARDS,
        }

        assert PERMISSIONS[Role.BILLING] == VIEWS | buys

    def test_member_sees_credits_only(self):
        assert PERMISSIONS[Role.MEMBER] == {Permission.VIEW_CREDITS}

    def test_that_do_not_exist_include_nothing(self):
        assert not may("JANITOR", Permission.VIEW_CREDITS)


class TestWhoMay:
    def test_names_the_roles_for_people(self):
        assert who_may(Permission.BUY_CREDITS) == ["Owner", "Admin", "Billing"]
