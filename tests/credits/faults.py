"""Faults of the ledger's SQL, each with the test that must fail by it.

A test of its own is certain where random stories hardly ever come, and quick.
"""

from __future__ import annotations

# By module and test: in which file stands what, and what instead.
FAULTS = {
    # R109: what is decided in turns and written at once
    "test_spend": {
        "TestIdempotency.test_refuses_another_request_under_the_same_key": [
            ("spend", "first.request_hash = p_hashes[asked.n]", "true"),
        ],
        "TestBatch.test_answers_item_by_item_and_one_refusal_harms_no_other": [
            ("spend", "asked.wallet_id, asked.n\n", "asked.wallet_id, asked.n DESC\n"),
            (
                "spend",
                "v_is_same := p_hashes[v_twin] = p_hashes[i]",
                "v_is_same := true",
            ),
            ("spend", "v_balance := v_balance - p_credits[i];", ""),
            ("spend", "v_seq := v_seq + 1;", ""),
            ("spend", "    WHERE v_entry_ids[p_line_items[n]] IS NOT NULL", ""),
        ],
        "TestBatch.test_keeps_the_keys_of_wallets_apart": [
            ("spend", "v_before + array_position(v_keys", "array_position(v_keys"),
            ("spend", "v_before := v_count; v_keys := NULL;", "v_before := v_count;"),
            ("spend", "[v_changed] := i;", "[v_changed] := v_accepted[v_before + 1];"),
        ],
        "TestBatch.test_draws_the_grants_of_each_wallet_in_their_order": [
            ("spend", "v_serving := v_firsts[v_turn];", "v_serving := 1;"),
            ("spend", "coalesce(v_firsts[v_turn + 1] - 1, v_count)", "v_count"),
            ("spend", "v_serving := v_serving + 1; v_place := 0;", "v_place := 0;"),
            ("spend", "EXIT WHEN v_need > 0 OR", "EXIT WHEN"),
        ],
        "TestBatch.test_needs_no_grant_for_what_costs_nothing": [
            (
                "spend",
                "array_position(v_wallet_ids, v_wallet_id)",
                "coalesce(v_turn, 0) + 1",
            ),
        ],
        "TestBatch.test_leaves_what_jobs_hold": [
            (
                "spend",
                "v_remaining || v_left + v_grant.pinned",
                "v_remaining || v_left",
            ),
            (
                "spend",
                "v_draw_remaining[v_draws] := v_left + v_grant.pinned",
                "v_draw_remaining[v_draws] := v_left",
            ),
        ],
    },
    # R68, R73
    "test_holds": {
        "TestHold.test_lives_seven_days_at_most": [
            ("hold_one", "least(p_ttl, p_longest)", "p_ttl"),
        ],
        "TestCapture.test_may_come_in_parts": [
            ("capture", "IF p_credits[i] > rest AND", "IF p_credits[i] >= rest AND"),
        ],
    },
    # What one command decides by itself, and what it leaves to the batches' functions
    "test_short_ways": {
        "TestSpend.test_takes_no_more_of_a_grant_than_jobs_leave_free": [
            ("spend_one", "- held >= p_credits", ">= p_credits"),
        ],
        "TestSpend.test_at_the_instant_of_an_expiry_ends_it_first": [
            ("spend_one", "next_expiry_at > p_at", "next_expiry_at >= p_at"),
        ],
        "TestSpend.test_said_again_leaves_no_gap_in_the_numbers": [
            ("spend_one", "seq = seq - 1", "seq = seq"),
            ("spend_one", "idempotency_key = p_key", "false"),
        ],
        "TestSpend.test_at_the_instant_from_which_nothing_may_be_spent_is_refused": [
            ("spend_one", "spends_until > p_at", "spends_until >= p_at"),
        ],
        "TestHold.test_takes_no_more_of_a_grant_than_jobs_leave_free": [
            ("hold_one", "remaining - held >=", "remaining >="),
        ],
        "TestHold.test_at_the_instant_of_an_expiry_ends_it_first": [
            ("hold_one", "next_expiry_at > p_at", "next_expiry_at >= p_at"),
        ],
        "TestHold.test_said_again_leaves_no_gap_in_the_numbers": [
            ("hold_one", "idempotency_key = p_key", "false"),
            (
                "hold_one",
                "held = held - p_credits, seq = seq - 1",
                "held = held - p_credits",
            ),
        ],
        "TestHold.test_at_the_instant_from_which_nothing_may_be_spent_is_refused": [
            ("hold_one", "spends_until > p_at", "spends_until >= p_at"),
        ],
        "TestHold.test_is_remembered_when_it_ends_before_everything_else": [
            ("hold_one", "least(next_expiry_at, v_ends_at)", "next_expiry_at"),
        ],
        "TestCapture.test_at_the_instant_of_another_expiry_ends_it_first": [
            ("capture_one", "next_expiry_at > p_at OR", "next_expiry_at >= p_at OR"),
        ],
        "TestCapture.test_of_frozen_credits_gives_the_rest_back_as_frozen": [
            ("capture_one", "frozen_for = '{}' AND", ""),
        ],
        "TestCapture.test_at_the_instant_at_which_its_grant_ends_ends_the_rest": [
            ("capture_one", "(expires_at > p_at", "(expires_at >= p_at"),
        ],
        "TestCapture.test_after_a_part_gives_back_only_what_is_left": [
            ("capture_one", "IF p_is_final AND p_credits", "IF p_credits"),
            ("capture_one", " AND captured = 0", ""),
        ],
        "TestCapture.test_of_a_released_hold_takes_nothing_of_another": [
            ("capture_one", "state = 'OPEN' AND captured", "captured"),
        ],
        "TestCapture.test_under_the_key_of_another_command_is_a_conflict": [
            ("capture_one", "idempotency_key = p_key", "false"),
        ],
        "TestCapture.test_remembers_when_what_it_gives_back_ends": [
            ("capture_one", "WHEN p_credits < v_hold.credits THEN", "WHEN false THEN"),
            ("capture_one", "v_due_at < coalesce", "v_due_at > coalesce"),
        ],
        "TestTurn.test_is_taken_by_what_is_usable_again": [
            ("_steps", "seq = seq + 1,\n        next_grant_id = NULL", "seq = seq + 1"),
        ],
        "TestTurn.test_is_taken_by_what_a_job_gives_back": [
            ("capture_one", "v_turn <> v_grant_id OR ", ""),
        ],
        "TestTurn.test_is_taken_by_what_ends_with_the_plan": [
            ("set_terms", ", next_grant_id = NULL", ""),
        ],
        "TestTurn.test_is_taken_by_what_is_granted_to_many": [
            ("_grant_alike", ",\n            next_grant_id = NULL", ""),
        ],
        "TestTurn.test_passes_on_when_a_grant_is_used_up": [
            ("spend", ",\n        next_grant_id = changed.next", ""),
            ("spend", "v_left > 0 AND v_nexts", "v_nexts"),
            ("spend", " AND v_nexts[v_turn] IS NULL", ""),
        ],
    },
    # R15, R70
    "test_corrections": {
        "TestReinstate.test_lets_live_what_a_failed_job_kept_of_a_plan_that_is_over": [
            ("reinstate", "AND lot.remaining = lot.held", ""),
        ],
    },
    "test_freezes": {
        "TestFrozenWithAPlan.test_ends_with_it_though_its_own_clock_stands_still": [
            ("_steps", "OR lot.clock_stopped_at IS NOT NULL);", ");"),
        ],
    },
    # R79
    "test_debts": {
        "TestDebt.test_is_paid_once_by_what_is_given_back_to_two_purchases": [
            ("reverse", "p_debt - coalesce(", "p_debt - 0 * coalesce("),
        ],
        "TestDebt.test_is_not_paid_by_what_is_given_back_to_a_plan": [
            ("reverse", "('PURCHASE', 'RELOAD')", "('PURCHASE', 'RELOAD', 'PLAN')"),
        ],
        "TestDebt.test_is_not_paid_by_frozen_credits": [
            ("reverse", "            AND lot.frozen_for = '{}'\n", ""),
        ],
    },
    # R87
    "test_member_caps": {
        "TestUsage.test_counts_charges_and_what_is_on_hold": [
            ("_caps", "sum(credits - captured)", "sum(credits)"),
            ("_caps", " AND state = 'OPEN'", ""),
        ],
        "TestUsage.test_is_kept_up_to_date_while_there_are_caps": [
            (
                "spend",
                "p_member_ids[i], p_credits[i], p_at",
                "p_member_ids[i], 0, p_at",
            ),
            (
                "capture",
                "v_hold.member_id, v_charge, p_at",
                "v_hold.member_id, 0, p_at",
            ),
            ("reverse", "-v_entry.credits,", "0,"),
            ("spend_one", " AND NOT has_caps", ""),
        ],
        "TestUsage.test_counts_what_was_on_hold_before_there_were_caps": [
            ("capture_one", " AND NOT has_caps", ""),
        ],
        "TestUsage.test_is_added_up_anew_for_caps_that_come_again": [
            ("set_cap", "IF NOT v_has_caps THEN", "IF false THEN"),
        ],
        "TestWindow.test_is_the_cycle": [
            (
                "_caps",
                "p_at >= p_wallet.cycle_starts_at",
                "p_at > p_wallet.cycle_starts_at",
            ),
            ("_caps", "entry.occurred_at) >= p_since", "entry.occurred_at) > p_since"),
        ],
        "TestWindow.test_ends_with_the_cycle_whether_or_not_the_next_is_known": [
            (
                "_caps",
                "p_at >= p_wallet.cycle_ends_at",
                "p_at > p_wallet.cycle_ends_at",
            ),
        ],
        "TestWindow.test_begins_anew_with_the_next_cycle": [
            ("_caps", " AND since = p_since", ""),
        ],
        "TestWindow.test_gets_no_room_from_what_an_earlier_one_took": [
            ("_caps", " AND since <= p_charged_at", ""),
            ("_caps", "since <= p_charged_at", "since < p_charged_at"),
            ("reverse", "v_taken.occurred_at\n", "p_at\n"),
        ],
        "TestCap.test_lets_through_what_fits": [
            ("spend", "used + p_credits[i] > cap", "used + p_credits[i] >= cap"),
        ],
        "TestCap.test_holds_for_holds_and_with_them": [
            ("hold", "used + p_credits[i] > cap", "used + p_credits[i] >= cap"),
            ("hold_one", " AND NOT has_caps", ""),
        ],
        "TestCap.test_lets_free_jobs_through": [
            ("spend", "p_credits[i] > 0 AND used", "used"),
            ("hold", "p_credits[i] > 0 AND used", "used"),
        ],
        "TestCap.test_that_is_tightest_wins": [
            ("_caps", "SELECT min(credits) INTO cap", "SELECT max(credits) INTO cap"),
        ],
        "TestCap.test_counts_within_a_batch": [
            ("_caps", " OR member_id IS NULL)", ")"),
        ],
    },
}
