"""What prevents a race, taken away: for the twins that prove that races can fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from config.database import load_functions_and_rights

STEPS = Path(settings.BASE_DIR) / "credits" / "sql" / "_steps.sql"
LOCK = "WHERE id = p_wallet_id\n    FOR NO KEY UPDATE;"


@pytest.fixture
def owner(transactional_db):
    """The owner's connection, and the functions as they are again afterwards."""
    with connections["owner"].cursor() as cursor:
        yield cursor
    load_functions_and_rights(using="owner")


@pytest.fixture
def without_lock(owner):
    text = STEPS.read_text()
    assert text.count(LOCK) == 1
    owner.execute(text.replace(LOCK, "WHERE id = p_wallet_id;"))


@pytest.fixture
def without_unique_keys(owner):
    names = ["entry_one_per_key", "entry_one_per_number"]
    owner.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indexrelid = ANY (%s::regclass[])",
        [names],
    )
    definitions = [definition for (definition,) in owner.fetchall()]
    for name in names:
        owner.execute(f"DROP INDEX {name}")
    yield
    # The twins that the race made would not fit under the keys.
    owner.execute("ALTER TABLE credits_ledgerentry DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE credits_grantdraw DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE credits_usageline DISABLE TRIGGER USER")
    owner.execute("TRUNCATE credits_ledgerentry CASCADE")
    for table in ("credits_ledgerentry", "credits_grantdraw", "credits_usageline"):
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for definition in definitions:
        owner.execute(definition)
