"""What the database refuses, whoever asks: the ledger's last line (battery 18)."""

from __future__ import annotations

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from credits import ledger
from tests.conftest import NOW
from tests.factories import job, make_wallet

LEDGER = (
    "credits_wallet",
    "credits_creditgrant",
    "credits_ledgerentry",
    "credits_grantdraw",
    "credits_usageline",
)
APPEND_ONLY = LEDGER[2:]

ON_EACH = [
    "UPDATE {} SET wallet_id = 1",
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
    "INSERT INTO {} DEFAULT VALUES",
]
STATEMENTS = [
    *(statement.format(table) for statement in ON_EACH for table in LEDGER[1:]),
    "UPDATE credits_wallet SET balance = balance + 1000",
    "UPDATE credits_creditgrant SET expires_at = NULL",
    "DELETE FROM credits_wallet",
    "TRUNCATE credits_wallet CASCADE",
    "INSERT INTO credits_wallet DEFAULT VALUES",
    "UPDATE credits_rate SET credits = 1",
    "DELETE FROM credits_ratecard",
    "UPDATE billing_planversion SET month_cents = 1",
    "UPDATE billing_blockoffer SET cents = 1",
    "UPDATE billing_freevideooffer SET default_quota = 9",
    "UPDATE credits_hold SET captured = 0",
    "UPDATE credits_membercap SET credits = 10000",
    "DELETE FROM credits_memberusage",
    "SELECT ledger_settle_due(1, now() + interval '9 years')",
    "ALTER TABLE credits_ledgerentry DISABLE TRIGGER USER",
    "DROP TRIGGER append_only ON credits_ledgerentry",
    "ALTER TABLE credits_wallet DROP CONSTRAINT wallet_available_not_negative",
    "DROP TABLE credits_grantdraw",
    "DROP FUNCTION ledger_expire(integer, timestamptz)",
    "CREATE FUNCTION public.ledger_gift() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE public.credits_gift (id int)",
    "SET ROLE purser_owner",
    "SET SESSION AUTHORIZATION purser_owner",
    "SET session_replication_role = replica",
]

GRANT = (
    "SELECT * FROM ledger_grant(ARRAY[{wallet}], ARRAY['{source}'], ARRAY['{key}'],"
    " ARRAY[{credits}]::bigint[], ARRAY[{cents}]::bigint[], ARRAY[{begins}],"
    " ARRAY[{ends}]::timestamptz[], ARRAY['x'], ARRAY[''], now())"
)
GOOD = {
    "source": "PROMO",
    "key": "k",
    "credits": 5,
    "cents": 0,
    "begins": "now()",
    "ends": "NULL",
}
BAD_GRANTS = [
    {"credits": 0},
    {"credits": -5},
    {"cents": -1},
    {"source": "GIFT"},
    {"begins": "now() + interval '1 day'"},
    {"ends": "now() - interval '1 day'"},
]


@pytest.mark.django_db
class TestApplication:
    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_may_not(self, statement):
        make_wallet(grants={"a": (50, None)})

        with (
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize("bad", BAD_GRANTS, ids=str)
    def test_may_not_grant_through_the_function(self, bad):
        wallet = make_wallet()

        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(GRANT.format(wallet=wallet.pk, **(GOOD | bad)))

    def test_may_not_grant_one_thing_to_two_wallets(self):
        first, second = make_wallet(), make_wallet()

        with connection.cursor() as cursor:
            cursor.execute(GRANT.format(wallet=first.pk, **GOOD))
            with (
                pytest.raises(IntegrityError, match="source_key"),
                transaction.atomic(),
            ):
                cursor.execute(GRANT.format(wallet=second.pk, **GOOD))

    def test_may_not_spend_less_than_nothing(self):
        wallet = make_wallet(grants={"a": (5, None)})

        with (
            pytest.raises(IntegrityError, match="a spend of -1 credits"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT * FROM ledger_spend(ARRAY[%s]::bigint[], ARRAY[-1]::bigint[],"
                " ARRAY['k'], ARRAY['h']::bytea[], ARRAY[NULL]::bigint[], ARRAY[''],"
                " ARRAY[''], ARRAY['x'], '{}', '{}', '{}', '{}', '{}', '{}', now())",
                [wallet.pk],
            )


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestOwner:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE {} SET wallet_id = wallet_id",
            "DELETE FROM {}",
            "TRUNCATE {} CASCADE",
        ],
    )
    def test_may_not_change_history(self, table, statement):
        wallet = make_wallet(grants={"a": (50, None)})
        ledger.spend(job(wallet, credits=1), at=NOW)

        with (
            pytest.raises(DatabaseError, match="is append-only"),
            connections["owner"].cursor() as cursor,
        ):
            cursor.execute(statement.format(table))
