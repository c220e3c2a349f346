"""Where exports are asked for and fetched."""

from __future__ import annotations

from django.urls import path

from billing.views import finance_exports

urlpatterns = [
    path("finance/exports/", finance_exports.export_list, name="exports"),
    path("finance/exports/ask/", finance_exports.ask_export, name="ask_export"),
    path(
        "finance/exports/<slug:public_id>/", finance_exports.export_page, name="export"
    ),
    path(
        "finance/exports/<slug:public_id>/status/",
        finance_exports.export_status,
        name="export_status",
    ),
    path(
        "finance/exports/<slug:public_id>/cancel/",
        finance_exports.cancel_export,
        name="cancel_export",
    ),
    path(
        "finance/exports/<slug:public_id>/file/",
        finance_exports.fetch_export,
        name="export_file",
    ),
]
