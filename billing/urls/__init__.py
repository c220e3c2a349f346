"""Addresses of the billing app."""

from __future__ import annotations

from billing.urls import (
    accounts,
    adjustments,
    catalogue,
    customer,
    exports,
    finance,
    staff,
)

app_name = "billing"
urlpatterns = [
    *customer.urlpatterns,
    *accounts.urlpatterns,
    *adjustments.urlpatterns,
    *catalogue.urlpatterns,
    *staff.urlpatterns,
    *finance.urlpatterns,
    *exports.urlpatterns,
]
