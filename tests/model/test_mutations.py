"""The model notices when a rule is broken: each mutation of the SQL must fail."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.test_ledger_model import LedgerMachine

_SQL = settings.BASE_DIR / "credits" / "sql"

MUTATIONS = [
    # R2: the order of consumption
    ("_steps", "ORDER BY expires_at NULLS LAST", "ORDER BY expires_at NULLS FIRST"),
    ("_steps", "ORDER BY expires_at NULLS LAST", "ORDER BY expires_at DESC NULLS LAST"),
    ("_steps", "WHEN 'PROMO' THEN 0", "WHEN 'PROMO' THEN 3"),
    ("_steps", "WHEN 'PLAN' THEN 1", "WHEN 'PLAN' THEN 3"),
    ("_steps", "        effective_at, id;", "        effective_at DESC, id DESC;"),
    # R5, R17: boundaries
    ("_steps", "AND expires_at <= p_at AND clock", "AND expires_at < p_at AND clock"),
    ("_steps", "'OPEN' AND expires_at <= p_at", "'OPEN' AND expires_at < p_at"),
    ("_steps", "next_expiry_at <= p_at", "next_expiry_at < p_at"),
    ("_steps", "ORDER BY expires_at, rank, id", "ORDER BY expires_at, rank DESC, id"),
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
    ("_steps", "        AND frozen_for = '{}'\n", ""),
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
    ("capture", "IF p_credits[i] > rest AND", "IF p_credits[i] >= rest AND"),
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
    ("spend", "v_entry.request_hash = p_hashes[i]", "true"),
    ("spend", "IF available < p_credits[i]", "IF available <= p_credits[i]"),
    ("release", "v_entry.request_hash = p_hashes[i]", "false"),
    ("revoke", "ELSIF v_take > v_free", "ELSIF v_take >= v_free"),
    # R3: last taken first
    ("reverse", "ORDER BY taken.position DESC", "ORDER BY taken.position"),
    ("reverse", "AND expires_at <= p_at", "AND expires_at < p_at"),
    ("reverse", "ELSIF v_need > v_left", "ELSIF v_need >= v_left"),
    # R79: debt
    ("grant", "IN ('PURCHASE', 'RELOAD')", "IN ('PURCHASE', 'RELOAD', 'PLAN')"),
    ("grant", "least(v_wallet.debt, p_credits[i])", "v_wallet.debt"),
    ("debt", "p_credits[i] > v_wallet.debt", "p_credits[i] >= v_wallet.debt"),
    # R95, R100: moving
    (
        "move",
        "p_expires_at[i] <= v_grant.expires_at",
        "p_expires_at[i] < v_grant.expires_at",
    ),
    ("move", "* (v_gone + v_free) / v_grant.granted", "* v_free / v_grant.granted"),
]


@pytest.fixture
def mutate(django_db_blocker):
    """Load a broken file as the owner, and the whole one again afterwards."""

    def load(name, old="", new=""):
        text = (_SQL / f"{name}.sql").read_text()
        assert old in text
        with connections["owner"].cursor() as cursor:
            cursor.execute(text.replace(old, new))

    mutated = []

    def break_it(name, old, new):
        mutated.append(name)
        load(name, old, new)

    with django_db_blocker.unblock():
        yield break_it
        for name in mutated:
            load(name)


@pytest.mark.full
@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
@pytest.mark.parametrize(("file", "old", "new"), MUTATIONS)
def test_is_caught(mutate, file, old, new):
    mutate(file, old, new)

    with pytest.raises(BaseException):  # noqa: B017, PT011
        run_state_machine_as_test(
            LedgerMachine,
            settings=hypothesis_settings(
                max_examples=400,
                stateful_step_count=40,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
