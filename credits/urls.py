"""Addresses of the credits app."""

from __future__ import annotations

from django.urls import path

from credits.views import alerts
from credits.views.member_caps import member_cap_list, set_each_cap, set_member_cap
from credits.views.period_statement import (
    period_statement,
    period_statement_csv,
    period_statement_xlsx,
)
from credits.views.rates import rates
from credits.views.statement import statement
from credits.views.usage import usage, usage_csv

app_name = "credits"
urlpatterns = [
    path("statement/", statement, name="statement"),
    path("statement/period/", period_statement, name="period_statement"),
    path(
        "statement/period/statement.csv",
        period_statement_csv,
        name="period_statement_csv",
    ),
    path(
        "statement/period/statement.xlsx",
        period_statement_xlsx,
        name="period_statement_xlsx",
    ),
    path("usage/", usage, name="usage"),
    path("usage/usage.csv", usage_csv, name="usage_csv"),
    path("rates/", rates, name="rates"),
    path("alerts/", alerts.alert_page, name="alerts"),
    path("alerts/save/", alerts.save_alerts, name="save_alerts"),
    path("alerts/test/", alerts.test_alert, name="test_alert"),
    path("alerts/unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
    path("team/caps/", member_cap_list, name="member_caps"),
    path("team/caps/each-member/", set_each_cap, name="set_each_cap"),
    path("team/caps/<int:membership_id>/", set_member_cap, name="set_member_cap"),
]
