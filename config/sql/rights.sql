-- What the application's login may do. Run by the owner after every migration.
-- {application} is that login. The ledger is read-only to it but for its functions;
-- the audit trail and the webhook inbox cannot be rewritten.
GRANT USAGE ON SCHEMA public TO {application};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application};

REVOKE INSERT, UPDATE, DELETE ON
    credits_wallet, credits_creditgrant, credits_ledgerentry, credits_grantdraw,
    credits_usageline, credits_hold, credits_membercap, credits_memberusage,
    credits_usagemark, credits_usageday, credits_usageweek, credits_freevideo,
    django_migrations
FROM {application};
REVOKE UPDATE, DELETE ON accounts_auditevent FROM {application};
-- R91: of an adjustment only what became of it is ever written.
REVOKE UPDATE, DELETE ON billing_adjustment FROM {application};
GRANT UPDATE (
    state, first_approved_by_id, first_approved_at, decided_by_id, decided_at,
    decision_reason, entry_id, made_at
) ON billing_adjustment TO {application};
-- R93: books are written once.
REVOKE UPDATE, DELETE ON billing_balancemovement, billing_booking FROM {application};
-- R36, R96: what is published is never edited.
REVOKE UPDATE, DELETE ON
    credits_ratecard, credits_rate, billing_planversion, billing_blockoffer,
    billing_freevideooffer
FROM {application};
REVOKE UPDATE, DELETE ON billing_webhookevent FROM {application};
GRANT UPDATE (handled_at, outcome) ON billing_webhookevent TO {application};
-- R93: a month is closed for good, and sealed once.
REVOKE UPDATE, DELETE ON billing_closedmonth FROM {application};
GRANT UPDATE (figures, sha256, sealed_at) ON billing_closedmonth TO {application};

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC, {application};
GRANT EXECUTE ON FUNCTION
    ledger_open_wallet, ledger_set_terms, ledger_set_cycles, ledger_grant,
    ledger_spend, ledger_spend_one,
    ledger_expire, ledger_expire_one, ledger_hold, ledger_hold_one,
    ledger_extend_hold, ledger_capture, ledger_capture_one,
    ledger_release, ledger_revoke, ledger_remove, ledger_reinstate, ledger_freeze,
    ledger_unfreeze,
    ledger_reverse, ledger_move, ledger_debt, ledger_free_videos,
    ledger_claim_free_video, ledger_set_cap, ledger_member_usage,
    usage_in_entries, usage_by_day, usage_in_brief, usage_since, usage_add_up,
    statement_lines, statement_link, statement_seal,
    billing_grant_cycles, billing_affected_debits,
    billing_left, billing_moved_since, billing_grant_plan, billing_staff_limits,
    billing_staff_room
TO {application};
