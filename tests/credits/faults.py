"""Faults of the ledger's SQL, each with the test that must fail by it.

A test of its own is certain, and quick. Random stories, which are neither, find what
nobody thought of: tests/model/test_mutations.py has them find some of these.
"""

from __future__ import annotations

# By module and test: in which file stands what, and what instead.
FAULTS = {
    # R2: the order of consumption; R5: the instant of an expiry
    # R109: what is decided in turns and written at once
    "test_spend": {
        "TestSpend.test_draws_the_soonest_expiring_grant_first": [
            ("_steps", "lot.expires_at END NULLS", "lot.expires_at END DESC NULLS"),
        ],
        "TestSpend.test_takes_credits_without_an_expiry_last": [
            ("_steps", "END NULLS LAST", "END NULLS FIRST"),
        ],
        "TestSpend.test_breaks_ties_by_source": [
            ("_steps", "CASE lot.source WHEN", "-CASE lot.source WHEN"),
        ],
        "TestSpend.test_takes_the_older_of_two_alike_first": [
            (
                "_steps",
                "lot.effective_at, lot.id;",
                "lot.effective_at DESC, lot.id DESC;",
            ),
        ],
        "TestSpend.test_is_gone_at_the_very_instant_of_its_expiry": [
            ("_steps", "next_expiry_at <= p_at", "next_expiry_at < p_at"),
            ("_steps", "expires_at <= p_at AND clock", "expires_at < p_at AND clock"),
        ],
        "TestIdempotency.test_refuses_another_request_under_the_same_key": [
            ("spend", "first.request_hash = p_hashes[n]", "true"),
        ],
        "TestBatch.test_answers_item_by_item_and_one_refusal_harms_no_other": [
            (
                "spend",
                "outcome := CASE WHEN p_hashes[v_twin] = p_hashes[item]",
                "outcome := CASE WHEN true",
            ),
            ("spend", "IF available + credits < 0", "IF available + credits <= 0"),
            ("spend", "available := available - v_spent;", ""),
            ("spend", "turn.wallet_id, n\n", "turn.wallet_id, n DESC\n"),
            ("spend", "v_has_twins boolean := ", "v_has_twins boolean := false AND "),
            ("spend", "    WHERE v_entry_ids[p_line_items[n]] IS NOT NULL", ""),
        ],
        "TestBatch.test_keeps_the_keys_of_wallets_apart": [
            ("spend", "v_before + array_position(v_keys", "array_position(v_keys"),
            ("spend", "v_keys := NULL; v_spent := 0;", "v_spent := 0;"),
            ("spend", "v_keys := NULL; v_spent := 0;", "v_keys := NULL;"),
            (
                "spend",
                "[v_changed] := item;",
                "[v_changed] := v_accepted[v_before + 1];",
            ),
        ],
        "TestBatch.test_draws_the_grants_of_each_wallet_in_their_order": [
            ("spend", "v_serving := v_firsts[v_place];", "v_serving := 1;"),
            ("spend", " IS DISTINCT FROM v_turn;", " IS NULL;"),
            ("spend", "v_serving := v_serving + 1;", ""),
            ("spend", "EXIT WHEN v_need > 0\n                OR", "EXIT WHEN"),
        ],
        "TestBatch.test_needs_no_grant_for_what_costs_nothing": [
            (
                "spend",
                "v_place := array_position(v_split, v_turn)",
                "v_place := coalesce(v_place, 0) + 1",
            ),
        ],
    },
    # R68, R71, R73: holds and captures; R69, R70, R72: holds and expiry
    "test_holds": {
        "TestHold.test_lives_seven_days_at_most": [
            ("hold_one", "least(p_ttl, p_longest)", "p_ttl"),
        ],
        "TestHold.test_of_several_grants_lives_no_longer": [
            ("hold", "least(p_ttl, p_longest)", "p_ttl"),
        ],
        "TestHold.test_keeps_what_it_reserves_from_other_jobs": [
            ("hold", "IF available < p_credits[i]", "IF available <= p_credits[i]"),
        ],
        "TestExtendHold.test_reaches_seven_days_and_no_further": [
            ("hold", "p_ttl, extendable_until)", "p_ttl, expires_at)"),
        ],
        "TestCapture.test_charges_what_the_job_used_and_gives_back_the_rest": [
            ("capture", "p_finals[i] OR v_charge = rest", "v_charge = rest"),
            ("capture", "ORDER BY pin.place\n", "ORDER BY pin.place DESC\n"),
        ],
        "TestCapture.test_may_come_in_parts": [
            ("capture", "p_finals[i] OR v_charge = rest", "p_finals[i]"),
            ("capture", "IF p_credits[i] > rest AND", "IF p_credits[i] >= rest AND"),
        ],
        "TestCapture.test_is_charged_to_credits_that_have_expired_meanwhile": [
            ("capture", "IF v_back > 0 AND v_pin.is_expired THEN", "IF false THEN"),
        ],
        "TestCapture.test_of_a_lapsed_hold_is_refused": [
            ("_steps", "'OPEN' AND expires_at <= p_at", "'OPEN' AND expires_at < p_at"),
        ],
        "TestRelease.test_ends_what_has_expired_when_the_customer_canceled": [
            ("_steps", "IF p_is_our_failure THEN", "IF true THEN"),
            ("_steps", "expires_at <= p_occurred_at", "expires_at < p_occurred_at"),
        ],
        "TestRelease.test_lets_what_has_expired_live_on_when_we_failed": [
            ("_steps", "IF p_is_our_failure THEN", "IF false THEN"),
            ("_steps", "interval '72 hours'", "interval '71 hours'"),
        ],
        "TestRelease.test_as_a_grant_ends_revives_no_more_than_was_held": [
            ("_steps", "ORDER BY expires_at, rank,", "ORDER BY expires_at, rank DESC,"),
            ("_steps", "v_grant.remaining - v_grant.held;", "v_grant.remaining;"),
        ],
        "TestRelease.test_said_again_answers_as_before": [
            ("release", "v_entry.request_hash = p_hashes[i]", "false"),
        ],
    },
    # R15, R58, R62: the end of a plan and of its terms
    "test_terms": {
        "TestPlanEnd.test_is_found_by_the_sweeper": [
            ("_steps", "WHERE id = p_wallet_id AND NOT plan_is_over)", "WHERE false)"),
        ],
        "TestPlanEnd.test_comes_before_a_job_that_lapses_with_it": [
            ("_steps", "BY expires_at, rank, id", "BY expires_at, rank < 0, rank, id"),
        ],
        "TestPlanEnd.test_leaves_what_was_bought": [
            ("_steps", "AND lot.source IN ('PLAN', 'UPGRADE')", ""),
        ],
        "TestPlanEnd.test_ends_what_was_given_at_its_very_instant": [
            ("_steps", "lot.effective_at <= wallet", "lot.effective_at < wallet"),
        ],
        "TestPlanEnd.test_spares_what_the_next_plan_gives": [
            ("_steps", "plan_ends_at <= p_at AND NOT", "plan_ends_at < p_at AND NOT"),
        ],
        "TestPlanEnd.test_said_again_happens_once": [
            (
                "set_terms",
                "plan_is_over AND plan_ends_at IS NOT DISTINCT",
                "plan_ends_at IS DISTINCT",
            ),
        ],
        "TestPlanEnd.test_is_the_expiry_that_is_shown_and_drawn_by": [
            ("_steps", "least(lot.expires_at, wallet.plan_ends_at)", "lot.expires_at"),
        ],
        "TestSpendsUntil.test_blocks_debits_and_holds_from_its_instant_on": [
            ("_steps", "spends_until <= p_at", "spends_until < p_at"),
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
            ("spend", "v_nexts[array_position(v_split, wallet.id)]", "NULL"),
            ("spend", "v_rest > 0 AND v_nexts", "v_nexts"),
            ("spend", " AND v_nexts[v_place] IS NULL", ""),
        ],
        "TestBatch.test_leaves_what_jobs_hold": [
            ("spend", "v_free + v_pinned - v_spent", "v_free - v_spent"),
            ("spend", "seq := v_seq + v_count - v_before", "seq := v_seq + v_count"),
            ("spend", "v_keys := NULL; v_spent := 0;", "v_keys := NULL;"),
            ("spend", "IF v_count = v_before + 1 THEN", "IF v_changed = 0 THEN"),
            ("spend", "p_credits[n] > 0 AND p_wallet_ids[n]", "p_wallet_ids[n]"),
        ],
        "TestBatch.test_asks_other_grants_where_it_does_not_cover_all": [
            ("spend", "v_spent <= v_free THEN", "v_spent <= v_free + v_pinned THEN"),
            ("spend", " AND p_wallet_ids[n] <> ALL (v_split)", ""),
            ("spend", "v_firsts || v_before + 1", "v_firsts || v_count"),
            (
                "spend",
                "v_remaining || v_rest + v_grant.pinned",
                "v_remaining || v_rest",
            ),
            (
                "spend",
                "v_draw_remaining[v_draws] := v_rest + v_grant.pinned",
                "v_draw_remaining[v_draws] := v_rest",
            ),
        ],
    },
    # R3: reversals; R80, R92: what is taken away and comes back; R95, R100: moving
    "test_corrections": {
        "TestReverse.test_gives_all_back_to_where_it_was_taken": [
            ("reverse", "ELSIF v_need > v_left", "ELSIF v_need >= v_left"),
        ],
        "TestReverse.test_gives_a_part_back_last_taken_first": [
            ("reverse", "ORDER BY taken.position DESC", "ORDER BY taken.position"),
        ],
        "TestReverse.test_lets_expired_credits_live_three_days_more": [
            ("reverse", "AND expires_at <= p_at", "AND expires_at < p_at"),
        ],
        "TestRevoke.test_takes_what_is_left_and_closes_the_grant": [
            ("revoke", "ELSIF v_take > v_free", "ELSIF v_take >= v_free"),
        ],
        "TestRemove.test_takes_what_would_be_used_first": [
            ("remove", "least(v_need, v_grant.free)", "v_grant.free"),
        ],
        "TestRemove.test_of_one_grant_takes_of_no_other": [
            ("remove", "WHERE p_grant_id IS NULL OR grant_id = p_grant_id", ""),
        ],
        "TestRemove.test_of_more_than_jobs_leave_takes_nothing": [
            ("remove", "IF v_need > 0 THEN", "IF v_need > p_credits THEN"),
        ],
        "TestReinstate.test_gives_back_once": [
            ("reinstate", "OR EXISTS (", "OR false AND EXISTS ("),
        ],
        "TestReinstate.test_ends_what_comes_back_as_its_grant_ends": [
            ("reinstate", "lot.expires_at <= p_at", "lot.expires_at < p_at"),
        ],
        "TestReinstate.test_ends_what_comes_back_after_the_plan": [
            ("reinstate", "AND v_wallet.plan_is_over", "AND false"),
        ],
        "TestReinstate.test_lets_live_what_a_failed_job_kept_of_a_plan_that_is_over": [
            ("reinstate", "AND lot.remaining = lot.held", ""),
        ],
        "TestMove.test_takes_its_share_of_the_cost_along": [
            ("move", "* (v_gone + v_free) /", "* v_free /"),
        ],
        "TestMove.test_to_no_later_day_is_refused": [
            ("move", "<= v_grant.expires_at", "< v_grant.expires_at"),
        ],
    },
    # R66, R83
    "test_freezes": {
        "TestFreeze.test_passes_over_them_when_credits_are_used": [
            ("_steps", "        AND lot.frozen_for = '{}'\n", ""),
        ],
        "TestFreeze.test_leaves_what_a_job_holds": [
            (
                "freeze",
                "v_grant.remaining - v_grant.held ELSE 0 END;\n            UPDATE",
                "v_grant.remaining ELSE 0 END;\n            UPDATE",
            ),
        ],
        "TestFreeze.test_of_a_dispute_stops_the_clock": [
            ("freeze", "WHEN p_freezes[i] = 'NO_PLAN'", "WHEN true"),
        ],
        "TestFreeze.test_for_want_of_a_plan_does_not": [
            ("freeze", "WHEN p_freezes[i] = 'NO_PLAN'", "WHEN false"),
        ],
        "TestFreeze.test_lets_the_clock_run_once_only_a_plan_is_missing": [
            ("freeze", "v_left <@ ARRAY['NO_PLAN']", "v_left <@ ARRAY['PAUSE']"),
        ],
        "TestFrozenWithAPlan.test_ends_with_it_though_its_own_clock_stands_still": [
            ("_steps", "OR lot.clock_stopped_at IS NOT NULL);", ");"),
        ],
    },
    # R79
    "test_debts": {
        "TestDebt.test_takes_what_there_is_of_a_small_purchase": [
            ("grant", "least(v_wallet.debt, p_credits[i])", "v_wallet.debt"),
        ],
        "TestDebt.test_is_not_paid_by_the_plan": [
            ("grant", "('PURCHASE', 'RELOAD')", "('PURCHASE', 'RELOAD', 'PLAN')"),
        ],
        "TestDebt.test_is_paid_by_what_is_given_back_to_a_purchase": [
            ("reverse", "IF v_wallet.debt > 0 THEN", "IF false THEN"),
        ],
        "TestDebt.test_is_paid_once_by_what_is_given_back_to_two_purchases": [
            ("reverse", "p_debt - coalesce(", "p_debt - 0 * coalesce("),
        ],
        "TestDebt.test_is_not_paid_by_what_is_given_back_to_a_plan": [
            ("reverse", "('PURCHASE', 'RELOAD')", "('PURCHASE', 'RELOAD', 'PLAN')"),
        ],
        "TestDebt.test_is_not_paid_by_frozen_credits": [
            ("reverse", "            AND lot.frozen_for = '{}'\n", ""),
        ],
        "TestDebt.test_can_be_cleared_in_full": [
            ("debt", "p_credits[i] > v_wallet.debt", "p_credits[i] >= v_wallet.debt"),
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
                "p_member_ids[item], -credits, p_at",
                "p_member_ids[item], 0, p_at",
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
            ("spend", "used - credits > cap", "used - credits >= cap"),
        ],
        "TestCap.test_holds_for_holds_and_with_them": [
            ("hold", "used + p_credits[i] > cap", "used + p_credits[i] >= cap"),
            ("hold_one", " AND NOT has_caps", ""),
        ],
        "TestCap.test_lets_free_jobs_through": [
            ("spend", "credits < 0 AND used", "used"),
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
