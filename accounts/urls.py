"""Addresses of the accounts app."""

from __future__ import annotations

from django.urls import path

from accounts.views import accounts, invitations, keys, settings, staff, team

app_name = "accounts"
urlpatterns = [
    path("account/new/", accounts.new_account, name="new_account"),
    path("account/switch/", accounts.switch, name="switch"),
    path("account/join/", invitations.join, name="join"),
    path("theme/", settings.theme, name="theme"),
    path("settings/", settings.settings, name="settings"),
    path("settings/profile/", settings.save_profile, name="save_profile"),
    path("settings/account/", settings.save_account, name="save_account"),
    path("settings/zone/", settings.zone_today, name="zone_today"),
    path("team/", team.team_page, name="team"),
    path("team/invite/", team.invite, name="invite"),
    path(
        "team/invitations/<int:invitation_id>/revoke/",
        team.revoke_invitation,
        name="revoke_invitation",
    ),
    path("team/<int:membership_id>/role/", team.change_role, name="change_role"),
    path("team/<int:membership_id>/remove/", team.remove_member, name="remove_member"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("keys/", keys.key_list, name="keys"),
    path("keys/new/", keys.create_key, name="create_key"),
    path("keys/<str:public_id>/revoke/", keys.revoke_key, name="revoke_key"),
    path("staff/", staff.staff_home, name="staff_home"),
]
