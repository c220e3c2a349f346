"""Addresses that no tour leads to, and why."""

from __future__ import annotations

# Django's own pages; what programs ask.
NOT_OURS = {"admin", "api"}

_TAKE_FORMS = {
    "billing:cancel_export",
    "billing:save_reload",
    "billing:staff_approve_adjustment",
    "billing:staff_withdraw_adjustment",
    "billing:stop_reload",
    "billing:pay_debt",
    "billing:add_card",
    "billing:default_card",
    "billing:staff_approve_bulk",
    "billing:staff_approve_make_good",
    "billing:staff_break_note",
    "billing:staff_break_repair",
    "billing:staff_begin_blocks",
    "billing:staff_begin_plan",
    "billing:staff_begin_rates",
    "billing:staff_end_rate",
    "billing:staff_inbox_replay",
    "billing:staff_price_offer",
    "billing:staff_withdraw_bulk",
    "billing:staff_withdraw_make_good",
    "billing:staff_withdraw_offer",
    "billing:staff_withdraw_rates",
    "billing:staff_reconcile",
    "billing:staff_work_charge",
    "billing:staff_work_note",
    "billing:staff_work_take",
    "billing:staff_webhook_enable",
    "billing:staff_webhook_remove",
    "billing:staff_webhook_replay",
    "billing:staff_webhook_roll",  # as after adding one
    "billing:staff_webhook_test",
    "accounts:change_role",
    "accounts:join",
    "accounts:revoke_invitation",
    "accounts:save_account",
    "accounts:save_profile",
    "accounts:switch",
    "accounts:theme",
    "billing:drop_change",
    "billing:payment_details",
    "billing:undo_change",
    "credits:test_alert",
}
_ARE_PARTS_OF_PAGES = {
    "accounts:zone_today",
    "billing:change_status",
    "billing:export_status",
    "billing:purchase_status",
}
_ANSWER_PROGRAMS = {
    "billing:export_file",  # a table
    "billing:invoices_csv",
    "billing:staff_dispute_evidence",  # a text file
    "billing:staff_bulk_template",
    "billing:staff_rate_impact_csv",
    "billing:stripe_webhook",
    "credits:period_statement_csv",
    "credits:period_statement_xlsx",
    "credits:usage_csv",
    "mfa_download_recovery_codes",  # a text file
}
_LEAD_AWAY = {
    "billing:invoice_page",  # to Stripe's pages
    "billing:invoice_pdf",
}
_ARE_NOT_IN_USE = {
    "account_confirm_login_code",  # sign-in by a code is off
    "account_set_password",  # nobody is without one
}
NOT_SEEN = {
    *_TAKE_FORMS,
    *_ARE_PARTS_OF_PAGES,
    *_ANSWER_PROGRAMS,
    *_LEAD_AWAY,
    *_ARE_NOT_IN_USE,
}
