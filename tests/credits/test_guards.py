"""What no row of the ledger may be, also for those who own it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connections, models, transaction
from django.db.models import Q
from django.test.utils import isolate_apps

from credits import ledger
from credits.models.guards import RowGuard
from tests.conftest import NOW
from tests.credits.test_holds import hold
from tests.factories import job, make_wallet

WALLET = "wallet_available_not_negative"
GRANT = "grant_remaining_within_granted"
HOLD = "hold_within_what_was_placed"
# What of a table is written, and the guard that refuses it.
UPDATES = [
    ("credits_wallet", "balance = 5", WALLET),
    ("credits_wallet", "held = -1", WALLET),
    ("credits_wallet", "held = balance + 1", WALLET),
    ("credits_wallet", "frozen = balance", WALLET),
    ("credits_wallet", "frozen = -1", WALLET),
    ("credits_wallet", "debt = -1", WALLET),
    ("credits_wallet", "seq = -1", WALLET),
    ("credits_creditgrant", "remaining = granted + 1", GRANT),
    ("credits_creditgrant", "remaining = 0", GRANT),
    ("credits_creditgrant", "remaining = 0, is_open = false", GRANT),
    ("credits_creditgrant", "held = remaining + 1", GRANT),
    ("credits_creditgrant", "held = -1", GRANT),
    ("credits_creditgrant", "is_open = false", GRANT),
    ("credits_hold", "captured = credits + 1", HOLD),
    ("credits_hold", "captured = -1", HOLD),
    ("credits_hold", "state = 'CAPTURED'", HOLD),
    ("credits_hold", "state = 'LOST', closed_at = now()", HOLD),
    ("credits_hold", "closed_at = now()", HOLD),
    ("credits_hold", "expires_at = placed_at", HOLD),
    ("credits_hold", "expires_at = extendable_until + interval '1 second'", HOLD),
]
# A row like the first one of a table, but for this.
INSERTS = [
    ("credits_grantdraw", {"remaining_after": -1}, "draw_moves_something"),
    ("credits_grantdraw", {"credits": 0}, "draw_moves_something"),
    ("credits_usageline", {"credits": -1}, "usage_line_not_negative"),
    ("credits_usageline", {"quantity": -1}, "usage_line_not_negative"),
    (
        "credits_usageline",
        {"credits": -1, "quantity": 1, "feature": "absorbed"},
        "usage_line_not_negative",
    ),
    ("credits_ledgerentry", {"credits": 1}, "entry_facts"),
    ("credits_ledgerentry", {"balance_after": -1}, "entry_facts"),
    ("credits_ledgerentry", {"hold_id": 1}, "entry_facts"),
    ("credits_ledgerentry", {"reverses_id": 1}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "GIFT"}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "GRANT"}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "EXPIRE", "credits": 0}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "FREEZE"}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "RELEASE", "credits": 0}, "entry_facts"),
    ("credits_ledgerentry", {"kind": "RELEASE", "hold_id": 1}, "entry_facts"),
    (
        "credits_ledgerentry",
        {"kind": "CAPTURE", "hold_id": 1, "credits": 1},
        "entry_facts",
    ),
    ("credits_ledgerentry", {"kind": "REVERSE", "reverses_id": 1}, "entry_facts"),
    (
        "credits_ledgerentry",
        {"kind": "REINSTATE", "reverses_id": 1, "credits": 0},
        "entry_facts",
    ),
]


@pytest.fixture
def written():
    """A wallet with a spend and a hold, for the owner to spoil."""
    wallet = make_wallet(grants={"a": (50, None)})
    ledger.spend(job(wallet, credits=10), at=NOW)
    hold(wallet, 10)


@pytest.fixture
def owner(written):
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        yield cursor
        transaction.set_rollback(True, using="owner")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestGuards:
    @pytest.mark.parametrize(("table", "change", "guard"), UPDATES)
    def test_refuse_a_change_to_what_cannot_be(self, owner, table, change, guard):
        with pytest.raises(IntegrityError, match=guard) as refused:
            owner.execute(f"UPDATE {table} SET {change}")  # noqa: S608 - of this file

        assert refused.value.__cause__.diag.constraint_name == guard

    @pytest.mark.parametrize(("table", "facts", "guard"), INSERTS, ids=str)
    def test_refuse_a_row_that_cannot_be(self, owner, table, facts, guard):
        like = "WHERE kind = 'SPEND'" if table == "credits_ledgerentry" else ""
        copied = f"SELECT * FROM {table} {like} ORDER BY 1 DESC LIMIT 1"  # noqa: S608
        owner.execute(f"CREATE TEMP TABLE spoilt ON COMMIT DROP AS {copied}")
        if like:
            facts = {"id": 10**9, "seq": 9, "idempotency_key": "other"} | facts
        changes = ", ".join(f"{column} = %s" for column in facts)
        owner.execute(f"UPDATE spoilt SET {changes}", [*facts.values()])  # noqa: S608

        with pytest.raises(IntegrityError, match=guard):
            owner.execute(f"INSERT INTO {table} SELECT * FROM spoilt")  # noqa: S608


@pytest.mark.django_db(databases=["owner"])
class TestRowGuard:
    @isolate_apps("credits")
    def test_comes_and_goes_with_its_model(self):
        class Crate(models.Model):  # noqa: DJ008 - nobody shows it
            apples = models.IntegerField()
            is_empty = models.BooleanField()

            class Meta:
                app_label = "credits"
                constraints = [
                    RowGuard(
                        condition=Q(apples__gt=0, is_empty=False)
                        | Q(apples=0, is_empty=True),
                        name="crate_is_empty_or_not",
                    )
                ]

        connection = connections["owner"]
        guard = Crate._meta.constraints[0]
        with connection.schema_editor() as editor:
            editor.create_model(Crate)
        crates = Crate.objects.using("owner")
        crates.create(apples=3, is_empty=False)
        crates.create(apples=0, is_empty=True)

        with (
            pytest.raises(IntegrityError, match=guard.name),
            transaction.atomic("owner"),
        ):
            crates.create(apples=0, is_empty=False)
        with connection.schema_editor() as editor:
            editor.remove_constraint(Crate, guard)

        assert crates.create(apples=0, is_empty=False).pk

    def test_is_not_the_check_that_says_the_same(self):
        says = {"condition": Q(apples__gt=0), "name": "has_apples"}

        assert RowGuard(**says) == RowGuard(**says)
        assert RowGuard(**says) != models.CheckConstraint(**says)
        assert models.CheckConstraint(**says) != RowGuard(**says)
