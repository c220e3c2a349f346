"""The accounts as staff find and see them, and what waits for somebody."""

from __future__ import annotations

from django.urls import path

from billing.views import staff_accounts, staff_as_of, staff_queue

urlpatterns = [
    path("staff/accounts/", staff_accounts.account_list, name="staff_accounts"),
    path(
        "staff/accounts/<slug:public_id>/",
        staff_accounts.account_page,
        name="staff_account",
    ),
    path(
        "staff/accounts/<slug:public_id>/timeline/",
        staff_accounts.timeline_page,
        name="staff_timeline",
    ),
    path(
        "staff/accounts/<slug:public_id>/as-of/",
        staff_as_of.as_of_page,
        name="staff_as_of",
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
    path("staff/queue/", staff_queue.queue_page, name="staff_queue"),
    path("staff/queue/<slug:public_id>/", staff_queue.work_page, name="staff_work"),
    path(
        "staff/queue/<slug:public_id>/take/",
        staff_queue.take_work,
        name="staff_work_take",
    ),
    path(
        "staff/queue/<slug:public_id>/note/",
        staff_queue.note_work,
        name="staff_work_note",
    ),
    path(
        "staff/queue/<slug:public_id>/close/",
        staff_queue.close_work,
        name="staff_work_close",
    ),
    path(
        "staff/queue/<slug:public_id>/charge/",
        staff_queue.charge_work,
        name="staff_work_charge",
    ),
]
