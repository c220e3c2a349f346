"""Addresses of the billing app."""

from __future__ import annotations

from django.urls import path

from billing.views import customer, purchases, webhook

app_name = "billing"
urlpatterns = [
    path("", customer.overview, name="overview"),
    path("plan/", customer.plan, name="plan"),
    path("plan/add-ons/", purchases.add_ons, name="add_ons"),
    path("plan/add-ons/buy/", purchases.buy, name="buy"),
    path("purchases/", purchases.purchase_list, name="purchases"),
    path("purchases/<slug:public_id>/", purchases.purchase, name="purchase"),
    path(
        "purchases/<slug:public_id>/status/",
        purchases.purchase_status,
        name="purchase_status",
    ),
    path("webhooks/stripe/", webhook.stripe_webhook, name="stripe_webhook"),
]
