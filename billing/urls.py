"""Addresses of the billing app."""

from __future__ import annotations

from django.conf import settings
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
    staff_accounts,
    staff_disputes,
    staff_inbox,
    staff_reconciliation,
    staff_refunds,
    staff_webhooks,
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
    path("staff/accounts/", staff_accounts.account_list, name="staff_accounts"),
    path(
        "staff/accounts/<slug:public_id>/",
        staff_accounts.account_page,
        name="staff_account",
    ),
    path(
        "staff/accounts/<slug:public_id>/cancel/",
        staff_accounts.preview_cancel,
        name="staff_preview_cancel",
    ),
    path(
        "staff/accounts/<slug:public_id>/cancel/now/",
        staff_accounts.cancel,
        name="staff_cancel",
    ),
    path("staff/refunds/", staff_refunds.refund_list, name="staff_refunds"),
    path(
        "staff/refunds/payments/<slug:intent_id>/",
        staff_refunds.payment_page,
        name="staff_payment",
    ),
    path(
        "staff/refunds/payments/<slug:intent_id>/refund/",
        staff_refunds.preview_refund,
        name="staff_preview_refund",
    ),
    path(
        "staff/refunds/payments/<slug:intent_id>/refund/now/",
        staff_refunds.make_refund,
        name="staff_refund",
    ),
    path("staff/disputes/", staff_disputes.dispute_list, name="staff_disputes"),
    path(
        "staff/disputes/<int:dispute_id>/",
        staff_disputes.dispute_page,
        name="staff_dispute",
    ),
    path(
        "staff/disputes/<int:dispute_id>/evidence/",
        staff_disputes.evidence_file,
        name="staff_dispute_evidence",
    ),
    path(
        "staff/disputes/<int:dispute_id>/answer/",
        staff_disputes.answer,
        name="staff_dispute_answer",
    ),
    path(
        "staff/disputes/<int:dispute_id>/accept/",
        staff_disputes.accept,
        name="staff_dispute_accept",
    ),
    path(
        "staff/disputes/warnings/<int:warning_id>/",
        staff_disputes.warning_page,
        name="staff_warning",
    ),
    path(
        "staff/disputes/warnings/<int:warning_id>/keep/",
        staff_disputes.keep,
        name="staff_warning_keep",
    ),
    path(
        "staff/reconciliation/",
        staff_reconciliation.reconciliation,
        name="staff_reconciliation",
    ),
    path(
        "staff/reconciliation/run/",
        staff_reconciliation.reconcile,
        name="staff_reconcile",
    ),
    path(
        "staff/reconciliation/<slug:public_id>/",
        staff_reconciliation.break_page,
        name="staff_break",
    ),
    path(
        "staff/reconciliation/<slug:public_id>/repair/",
        staff_reconciliation.repair,
        name="staff_break_repair",
    ),
    path(
        "staff/reconciliation/<slug:public_id>/ignore/",
        staff_reconciliation.ignore_break,
        name="staff_break_ignore",
    ),
    path(
        "staff/reconciliation/<slug:public_id>/note/",
        staff_reconciliation.note_break,
        name="staff_break_note",
    ),
    path("staff/webhooks/", staff_webhooks.webhook_list, name="staff_webhooks"),
    path("staff/webhooks/add/", staff_webhooks.add_webhook, name="staff_webhook_add"),
    path(
        "staff/webhooks/<slug:public_id>/",
        staff_webhooks.webhook_endpoint,
        name="staff_webhook",
    ),
    path(
        "staff/webhooks/<slug:public_id>/secret/",
        staff_webhooks.roll_secret,
        name="staff_webhook_roll",
    ),
    path(
        "staff/webhooks/<slug:public_id>/disable/",
        staff_webhooks.disable_webhook,
        name="staff_webhook_disable",
    ),
    path(
        "staff/webhooks/<slug:public_id>/enable/",
        staff_webhooks.enable_webhook,
        name="staff_webhook_enable",
    ),
    path(
        "staff/webhooks/<slug:public_id>/remove/",
        staff_webhooks.remove_webhook,
        name="staff_webhook_remove",
    ),
    path(
        "staff/webhooks/<slug:public_id>/deliveries/<int:delivery_id>/replay/",
        staff_webhooks.replay_webhook,
        name="staff_webhook_replay",
    ),
    path("staff/inbox/", staff_inbox.inbox_page, name="staff_inbox"),
    path(
        "staff/inbox/<int:subject_id>/",
        staff_inbox.inbox_subject,
        name="staff_inbox_subject",
    ),
    path(
        "staff/inbox/<int:subject_id>/replay/",
        staff_inbox.replay,
        name="staff_inbox_replay",
    ),
    path(
        "staff/inbox/<int:subject_id>/ignore/",
        staff_inbox.ignore,
        name="staff_inbox_ignore",
    ),
]
if settings.IS_STRIPE_SANDBOX:
    urlpatterns += [
        path("staff/time/", time_machine.time_page, name="time"),
        path("staff/time/travel/", time_machine.travel, name="travel"),
    ]
