"""What customers visit, and where Stripe tells."""

from __future__ import annotations

from django.urls import path

from billing.views import (
    cards,
    changes,
    customer,
    debt,
    invoices,
    plan,
    purchases,
    reload,
    webhook,
)

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
    path("plan/cards/", cards.card_list, name="cards"),
    path("plan/cards/add/", cards.add_card, name="add_card"),
    path("plan/cards/<slug:card_id>/default/", cards.default_card, name="default_card"),
    path("plan/cards/<slug:card_id>/remove/", cards.remove_card, name="remove_card"),
    path("plan/add-ons/reload/", reload.reload, name="reload"),
    path("plan/add-ons/reload/review/", reload.review_reload, name="review_reload"),
    path("plan/add-ons/reload/save/", reload.save_reload, name="save_reload"),
    path("plan/add-ons/reload/stop/", reload.stop_reload, name="stop_reload"),
    path(
        "plan/add-ons/reload/<slug:public_id>/confirm/",
        reload.confirm_reload,
        name="confirm_reload",
    ),
    path("plan/debt/", debt.debt, name="debt"),
    path("plan/debt/pay/", debt.pay_debt, name="pay_debt"),
    path("invoices/", invoices.invoices, name="invoices"),
    path("invoices/invoices.csv", invoices.invoices_csv, name="invoices_csv"),
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
