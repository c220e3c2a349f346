"""The desks of the staff console that follow Stripe and its money."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from billing.views import (
    staff_disputes,
    staff_inbox,
    staff_jobs,
    staff_reconciliation,
    staff_refunds,
    staff_webhooks,
    time_machine,
)

urlpatterns = [
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
        "staff/webhooks/<slug:public_id>/test/",
        staff_webhooks.try_webhook,
        name="staff_webhook_test",
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
    path("staff/jobs/", staff_jobs.jobs_page, name="staff_jobs"),
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
