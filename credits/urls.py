"""Addresses of the credits app."""

from __future__ import annotations

from django.urls import path

from credits.views.rates import rates
from credits.views.statement import statement
from credits.views.usage import usage, usage_csv

app_name = "credits"
urlpatterns = [
    path("statement/", statement, name="statement"),
    path("usage/", usage, name="usage"),
    path("usage/usage.csv", usage_csv, name="usage_csv"),
    path("rates/", rates, name="rates"),
]
