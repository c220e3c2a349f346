"""Addresses of the billing app."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from billing.views import (
    changes,
    customer,
    invoices,
    plan,
    purchases,
    time_machine,
    webhook,
)

app_name = "billing"
urlpatterns = [
    path("", customer.overview, name="overview"),
    path("plan/", plan.plan, name="plan"),
    path("plan/moves/", plan.plan_moves, name="plan_moves"),
    path("plan/payment-details/", plan.payment_details, name="payment_details"),
    path("plan/preview/", changes.preview_change, name="preview_change"),
    path("plan/confirm/", changes.confirm_change, name="confirm_change"),
    path("plan/changes/<slug:public_id>/", changes.change, name="change"),
    path(
        "plan/changes/<slug:public_id>/status/",
        changes.change_status,
        name="change_status",
    ),
    path(
        "plan/changes/<slug:public_id>/undo/", changes.undo_change, name="undo_change"
    ),
    path(
        "plan/changes/<slug:public_id>/drop/", changes.drop_change, name="drop_change"
    ),
    path("plan/add-ons/", purchases.add_ons, name="add_ons"),
    path("plan/add-ons/buy/", purchases.buy, name="buy"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/<int:invoice_id>/", invoices.invoice_page, name="invoice_page"),
    path("invoices/<int:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("purchases/", purchases.purchase_list, name="purchases"),
    path("purchases/<slug:public_id>/", purchases.purchase, name="purchase"),
    path(
        "purchases/<slug:public_id>/status/",
        purchases.purchase_status,
        name="purchase_status",
    ),
    path("webhooks/stripe/", webhook.stripe_webhook, name="stripe_webhook"),
]
if settings.IS_STRIPE_SANDBOX:
    urlpatterns += [
        path("staff/time/", time_machine.time_page, name="time"),
        path("staff/time/travel/", time_machine.travel, name="travel"),
    ]
