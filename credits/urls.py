"""Addresses of the credits app."""

from __future__ import annotations

from django.urls import path

from credits.views.rates import rates
from credits.views.statement import statement

app_name = "credits"
urlpatterns = [
    path("statement/", statement, name="statement"),
    path("rates/", rates, name="rates"),
]
