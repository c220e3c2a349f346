"""What guards the staff's writes: a fresh second factor, and an admin that reads only.

Both are read off the URLconf and the admin's registry: whoever adds a write or a table
says here why it needs no guard, or gives it one.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import RequestFactory

from accounts.roles import StaffPermission
from tests.architecture.addresses import ADDRESSES, OF_STAFF, methods_of, url_of
from tests.factories import make_staff, make_user

# What these let somebody do moves money or takes data away.
GUARDED = {
    StaffPermission.ADJUST,
    StaffPermission.APPROVE,
    StaffPermission.CLOSE_MONTHS,
    StaffPermission.EXPORT,
    StaffPermission.MANAGE_CATALOGUE,
    StaffPermission.MANAGE_WEBHOOKS,
    StaffPermission.MOVE_MONEY,
    StaffPermission.RECONCILE,
    StaffPermission.WORK_DISPUTES,
    StaffPermission.WORK_QUEUE,
}
HARMLESS = {
    # Drafts: only publishing them means anything.
    "billing:staff_add_rate",
    "billing:staff_begin_blocks",
    "billing:staff_begin_plan",
    "billing:staff_begin_rates",
    "billing:staff_draft_rate",
    "billing:staff_end_rate",
    "billing:staff_offer_terms",
    "billing:staff_price_offer",
    "billing:staff_start_rates",
    "billing:staff_withdraw_offer",
    "billing:staff_withdraw_rates",
    # Who looks after what, and what they know.
    "billing:staff_break_note",
    "billing:staff_work_close",
    "billing:staff_work_note",
    "billing:staff_work_take",
    # Asks for what beat does hourly; sends what was sent before, or tells of nothing.
    "billing:staff_reconcile",
    "billing:staff_webhook_replay",
    "billing:staff_webhook_test",
    # A dry run, which posts nothing.
    "billing:staff_check_bulk",
    # Ends one's own export.
    "billing:cancel_export",
}
# Tables that the admin may write, and who says so.
WRITABLE = {
    "accounts.User": "superusers say who is staff, and in which groups",
    "accounts.StaffLimit": "superusers say how much staff may adjust alone",
}
OURS = ("accounts", "billing", "credits")


class TestEachWriteOfStaff:
    def test_that_moves_money_or_takes_data_asks_for_the_second_factor(self):
        writes = {
            name
            for name, permission in OF_STAFF.items()
            if permission in GUARDED and "POST" in methods_of(name)
        }

        stale = {name for name in writes if not ADDRESSES[name].callback.is_fresh}

        assert stale == HARMLESS

    def test_asks_nobody_else(self, settings, client, db):
        """A page of money that is only read opens without the second factor."""
        settings.STAFF_STEP_UP = True
        client.force_login(
            make_user(is_staff=True, is_superuser=True),
            backend="django.contrib.auth.backends.ModelBackend",
        )

        assert client.get(url_of("billing:staff_refunds")).status_code == 200
        assert client.get(url_of("billing:finance")).status_code == 200


class TestTheAdmin:
    @pytest.mark.parametrize(
        "table",
        sorted(
            model._meta.label
            for model in admin.site._registry
            if model._meta.app_label in OURS
        ),
    )
    def test_writes_no_table_that_is_not_listed(self, db, table):
        [shown] = [
            one
            for model, one in admin.site._registry.items()
            if model._meta.label == table
        ]
        request = RequestFactory().get("/")
        request.user = make_user(is_staff=True, is_superuser=True)

        permissions = shown.get_model_perms(request)
        writes = any(permissions[name] for name in ("add", "change", "delete"))
        inlines = shown.get_inline_instances(request)

        assert writes == (table in WRITABLE)
        assert not any(
            inline.has_add_permission(request, None)
            or inline.has_change_permission(request)
            or inline.has_delete_permission(request)
            for inline in inlines
        )

    def test_looks_at_no_password(self, db, client):
        """Whatever is sent to it, the portal's own sign-in is the way in."""
        ada = make_user(is_staff=True, is_superuser=True)
        sent = {"username": ada.email, "password": "correct horse"}

        response = client.post("/admin/login/", sent)

        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/")

    def test_shows_no_table_to_staff_of_a_group(self, db):
        request = RequestFactory().get("/")
        request.user = make_staff("STAFF_ADMIN")

        assert admin.site.get_app_list(request) == []
