"""The pages of finance."""

from __future__ import annotations

from django.urls import path

from billing.views import finance_closing, finance_month

urlpatterns = [
    path("finance/", finance_month.finance, name="finance"),
    path("finance/rows/", finance_month.finance_rows, name="finance_rows"),
    path(
        "finance/months/<slug:code>/",
        finance_closing.preview_closing,
        name="preview_closing",
    ),
    path(
        "finance/months/<slug:code>/close/",
        finance_closing.close_month,
        name="close_month",
    ),
]
