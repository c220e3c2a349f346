"""The model notices when a rule is broken: each mutation of the SQL must fail.

What stories hardly ever come to is in tests/credits/faults.py instead, each fault with
the test that must fail by it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from tests.breaking import broken, text_of
from tests.model.test_batch_model import BatchMachine
from tests.model.test_ledger_model import LedgerMachine
from tests.model.test_member_caps_model import MemberCapsMachine

MUTATIONS = [
    # R2: the order of consumption
    ("_steps", "lot.expires_at END NULLS LAST", "lot.expires_at END NULLS FIRST"),
    ("_steps", "lot.expires_at END NULLS LAST", "lot.expires_at END DESC NULLS LAST"),
    ("_steps", "WHEN 'PROMO' THEN 0", "WHEN 'PROMO' THEN 3"),
    ("_steps", "WHEN 'PLAN' THEN 1", "WHEN 'PLAN' THEN 3"),
    ("_steps", "lot.effective_at, lot.id;", "lot.effective_at DESC, lot.id DESC;"),
    # R5, R17: boundaries
    ("_steps", "AND expires_at <= p_at AND clock", "AND expires_at < p_at AND clock"),
    ("_steps", "'OPEN' AND expires_at <= p_at", "'OPEN' AND expires_at < p_at"),
    ("_steps", "next_expiry_at <= p_at", "next_expiry_at < p_at"),
    ("_steps", "ORDER BY expires_at, rank, id", "ORDER BY expires_at, rank DESC, id"),
    # R15, R58, R62: the end of a plan
    ("_steps", "plan_ends_at <= p_at AND NOT", "plan_ends_at < p_at AND NOT"),
    ("_steps", "AND lot.source IN ('PLAN', 'UPGRADE')", ""),
    ("_steps", "lot.effective_at <= wallet", "lot.effective_at < wallet"),
    ("_steps", "plan_ends_at AS expires_at, -1", "plan_ends_at AS expires_at, 2"),
    ("_steps", "WHERE id = p_wallet_id AND NOT plan_is_over)", "WHERE false)"),
    ("_steps", "least(lot.expires_at, wallet.plan_ends_at)", "lot.expires_at"),
    ("_steps", "spends_until <= p_at", "spends_until < p_at"),
    (
        "set_terms",
        "plan_is_over AND plan_ends_at IS NOT DISTINCT",
        "plan_ends_at IS DISTINCT",
    ),
    # R69, R70: holds and expiry
    (
        "_steps",
        "v_free := v_grant.remaining - v_grant.held;",
        "v_free := v_grant.remaining;",
    ),
    ("_steps", "interval '72 hours'", "interval '71 hours'"),
    ("_steps", "IF p_is_our_failure THEN", "IF NOT p_is_our_failure THEN"),
    ("_steps", "lot.expires_at <= p_occurred_at", "lot.expires_at < p_occurred_at"),
    # R66, R83: freezes
    ("_steps", "        AND lot.frozen_for = '{}'\n", ""),
    ("freeze", "WHEN p_freezes[i] = 'NO_PLAN'", "WHEN p_freezes[i] <> 'NO_PLAN'"),
    ("freeze", "v_left <@ ARRAY['NO_PLAN']", "v_left <@ ARRAY['PAUSE']"),
    (
        "freeze",
        "THEN v_grant.remaining - v_grant.held ELSE 0 END;\n            UPDATE",
        "THEN v_grant.remaining ELSE 0 END;\n            UPDATE",
    ),
    # R68, R71, R73: holds and captures
    ("hold", "least(p_ttl, p_longest)", "p_ttl"),
    (
        "hold",
        "least(p_at + p_ttl, extendable_until)",
        "least(p_at + p_ttl, expires_at)",
    ),
    ("hold", "IF available < p_credits[i]", "IF available <= p_credits[i]"),
    (
        "capture",
        "v_is_final := p_finals[i] OR v_charge = rest",
        "v_is_final := p_finals[i]",
    ),
    (
        "capture",
        "v_is_final := p_finals[i] OR v_charge = rest",
        "v_is_final := v_charge = rest",
    ),
    (
        "capture",
        "            ORDER BY pin.place\n",
        "            ORDER BY pin.place DESC\n",
    ),
    (
        "capture",
        "IF v_back > 0 AND v_pin.is_expired",
        "IF v_pin.is_expired AND v_back > 99",
    ),
    # R109: keys
    ("spend", "IF available < p_credits[i]", "IF available <= p_credits[i]"),
    ("release", "v_entry.request_hash = p_hashes[i]", "false"),
    ("revoke", "ELSIF v_take > v_free", "ELSIF v_take >= v_free"),
    # R92: only what is available is removed, or of the grant that is named
    ("remove", "IF v_need > 0 THEN", "IF v_need > p_credits THEN"),
    ("remove", "WHERE p_grant_id IS NULL OR grant_id = p_grant_id", ""),
    ("remove", "least(v_need, v_grant.free)", "v_grant.free"),
    # R80: what was revoked comes back once, unless its grant has ended
    ("reinstate", "OR EXISTS (", "OR false AND EXISTS ("),
    ("reinstate", "lot.expires_at <= p_at", "lot.expires_at < p_at"),
    ("reinstate", "AND v_wallet.plan_is_over", "AND false"),
    # R3: last taken first
    ("reverse", "ORDER BY taken.position DESC", "ORDER BY taken.position"),
    ("reverse", "AND expires_at <= p_at", "AND expires_at < p_at"),
    ("reverse", "ELSIF v_need > v_left", "ELSIF v_need >= v_left"),
    # R79: debt
    ("grant", "IN ('PURCHASE', 'RELOAD')", "IN ('PURCHASE', 'RELOAD', 'PLAN')"),
    ("grant", "least(v_wallet.debt, p_credits[i])", "v_wallet.debt"),
    ("debt", "p_credits[i] > v_wallet.debt", "p_credits[i] >= v_wallet.debt"),
    ("reverse", "IF v_wallet.debt > 0 THEN", "IF false THEN"),
    # R95, R100: moving
    (
        "move",
        "p_expires_at[i] <= v_grant.expires_at",
        "p_expires_at[i] < v_grant.expires_at",
    ),
    ("move", "* (v_gone + v_free) / v_grant.granted", "* v_free / v_grant.granted"),
]

# Of caps and batches only some: each of their faults has a test of its own.
CAP_MUTATIONS = [
    ("spend", "used + p_credits[i] > cap", "used + p_credits[i] >= cap"),
    ("_caps", "SELECT min(credits) INTO cap", "SELECT max(credits) INTO cap"),
    ("capture", "v_hold.member_id, v_charge, p_at", "v_hold.member_id, 0, p_at"),
]
BATCH_MUTATIONS = [
    ("spend", "v_balance := v_balance - p_credits[i];", ""),
    ("spend", "v_serving := v_firsts[v_turn];", "v_serving := 1;"),
]
# Enough of them that whatever is broken is met.
many_stories = hypothesis_settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
STORIES = [
    *((LedgerMachine, *mutation) for mutation in MUTATIONS),
    *((MemberCapsMachine, *mutation) for mutation in CAP_MUTATIONS),
    *((BatchMachine, *mutation) for mutation in BATCH_MUTATIONS),
]


def test_there_is_something_left_to_break():
    """In every run: the SQL changes more often than mutations are tried."""
    gone = [(file, old) for _, file, old, _ in STORIES if old not in text_of(file)]

    assert gone == []


@pytest.mark.full
@pytest.mark.django_db
@pytest.mark.parametrize("machine", [LedgerMachine, MemberCapsMachine, BatchMachine])
def test_unbroken_it_agrees(machine):
    """Or every mutation would seem to be caught."""
    run_state_machine_as_test(machine, settings=many_stories)


@pytest.mark.full
@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
@pytest.mark.parametrize(("machine", "file", "old", "new"), STORIES)
def test_is_caught(machine, file, old, new):
    with broken(file, old, new), pytest.raises(BaseException):  # noqa: B017, PT011
        run_state_machine_as_test(machine, settings=many_stories)
