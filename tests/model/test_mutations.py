"""The model notices when a rule is broken: each mutation of the SQL must fail.

Few, of rules far apart: they prove the machines. The others are in
tests/credits/faults.py, each with the test that must fail by it.
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

# Which stories they are depends on what else is loaded: these fail some of the first.
MUTATIONS = [
    # R2, R5, R17: the order of consumption, and the instant of an expiry
    ("_steps", "lot.expires_at END NULLS LAST", "lot.expires_at END NULLS FIRST"),
    ("_steps", "next_expiry_at <= p_at", "next_expiry_at < p_at"),
    # R15: the end of a plan
    ("_steps", "AND lot.source IN ('PLAN', 'UPGRADE')", ""),
    # R66, R83: freezes
    ("_steps", "        AND lot.frozen_for = '{}'\n", ""),
    ("freeze", "WHEN p_freezes[i] = 'NO_PLAN'", "WHEN p_freezes[i] <> 'NO_PLAN'"),
    # R69, R70: holds and expiry
    (
        "_steps",
        "v_free := v_grant.remaining - v_grant.held;",
        "v_free := v_grant.remaining;",
    ),
    ("_steps", "IF p_is_our_failure THEN", "IF NOT p_is_our_failure THEN"),
    # R109: keys
    ("release", "v_entry.request_hash = p_hashes[i]", "false"),
    # R3, R80, R92: what comes back, and what is taken away
    ("reverse", "ELSIF v_need > v_left", "ELSIF v_need >= v_left"),
    ("reinstate", "OR EXISTS (", "OR false AND EXISTS ("),
    ("remove", "least(v_need, v_grant.free)", "v_grant.free"),
    # R100: moving
    ("move", "* (v_gone + v_free) / v_grant.granted", "* v_free / v_grant.granted"),
]

# Far more than it takes until what is broken is met.
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
    (
        MemberCapsMachine,
        "capture",
        "v_hold.member_id, v_charge, p_at",
        "v_hold.member_id, 0, p_at",
    ),
    (BatchMachine, "spend", "available := available - v_spent;", ""),
    (BatchMachine, "spend", "v_serving := v_firsts[v_place];", "v_serving := 1;"),
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
