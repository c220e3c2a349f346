"""verify_ledger finds each way of being wrong, and names it.

What is broken here is out of the application's reach: the owner does it, past the
triggers and constraints, in a transaction that is undone.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from credits import audits, ledger
from tests.conftest import NOW
from tests.factories import job, make_wallet

TABLES = (
    "credits_wallet",
    "credits_creditgrant",
    "credits_ledgerentry",
    "credits_grantdraw",
    "credits_usageline",
)
# What the owner does, and the checks that notice.
CORRUPTIONS = {
    "a day of usage without entries": (
        """INSERT INTO credits_usagemark (wallet_id, zone, seq)
        SELECT min(id), 'UTC', 1 FROM credits_wallet;
        INSERT INTO credits_usageday (mark_id, day, feature, member, quantity, credits,
            rate_version, first_seq, last_seq)
        SELECT id, '2026-03-10', 'look', '', 1, 1, 1, 1, 1 FROM credits_usagemark""",
        {"I1 days of usage are the sum of their entries"},
    ),
    "a week of usage without days": (
        """INSERT INTO credits_usagemark (wallet_id, zone, seq)
        SELECT min(id), 'UTC', 0 FROM credits_wallet;
        INSERT INTO credits_usageweek (mark_id, week, feature, member, quantity,
            credits, rate_version)
        SELECT id, '2026-03-09', 'look', '', 1, 1, 1 FROM credits_usagemark""",
        {"I1 weeks of usage are the sum of their days"},
    ),
    "an entry of another amount": (
        """UPDATE credits_ledgerentry SET credits = credits - 1
        WHERE id = (SELECT max(id) FROM credits_ledgerentry)""",
        {
            "I1 an entry is the sum of its draws",
            "I1 each balance follows from the one before",
            "I1 a spend costs what its lines cost",
            "I2 a wallet is the sum of its entries",
        },
    ),
    "a wrong running balance": (
        """UPDATE credits_ledgerentry SET balance_after = balance_after + 1
        WHERE id = (SELECT max(id) FROM credits_ledgerentry)""",
        {"I1 each balance follows from the one before"},
    ),
    "a number left out": (
        """UPDATE credits_ledgerentry SET seq = 5 WHERE seq = 4;
        UPDATE credits_wallet SET seq = 5""",
        {"I1 entries are numbered without gaps"},
    ),
    "the last entry gone": (
        "DELETE FROM credits_ledgerentry WHERE seq = 4",
        {
            "I1 a draw is of its entry's wallet and its grant's",
            "I1 a usage line is of its entry's wallet",
            "I2 a wallet is the sum of its entries",
        },
    ),
    "an entry without its wallet": (
        """UPDATE credits_ledgerentry SET wallet_id = wallet_id + 1000
        WHERE seq = 4""",
        {
            "I1 a draw is of its entry's wallet and its grant's",
            "I1 a usage line is of its entry's wallet",
            "I1 an entry is of a wallet",
            "I1 each balance follows from the one before",
            "I1 entries are numbered without gaps",
            "I2 a wallet is the sum of its entries",
        },
    ),
    "an entry of a hold that there is not": (
        "UPDATE credits_ledgerentry SET hold_id = 1000 WHERE seq = 4",
        {"I1 what an entry names is of its wallet"},
    ),
    "an entry that reverses nothing": (
        "UPDATE credits_ledgerentry SET reverses_id = id + 1000 WHERE seq = 4",
        {"I1 what an entry names is of its wallet"},
    ),
    "a draw without its entry": (
        """UPDATE credits_grantdraw SET entry_id = entry_id + 1000
        WHERE entry_id = (SELECT max(entry_id) FROM credits_grantdraw)""",
        {
            "I1 a draw is of its entry's wallet and its grant's",
            "I1 an entry is the sum of its draws",
        },
    ),
    "a usage line without its entry": (
        """UPDATE credits_usageline SET entry_id = entry_id + 1000
        WHERE entry_id = (SELECT max(entry_id) FROM credits_usageline)""",
        {
            "I1 a usage line is of its entry's wallet",
            "I1 a spend costs what its lines cost",
        },
    ),
    "a draw under another wallet": (
        """UPDATE credits_grantdraw SET wallet_id = wallet_id + 1
        WHERE entry_id = (SELECT max(entry_id) FROM credits_grantdraw)""",
        {"I1 a draw is of its entry's wallet and its grant's"},
    ),
    "a draw of another amount": (
        """UPDATE credits_grantdraw SET credits = credits - 1
        WHERE entry_id = (SELECT max(entry_id) FROM credits_grantdraw)""",
        {
            "I1 an entry is the sum of its draws",
            "I3 a grant is the sum of its draws",
            "I3 each remainder follows from the one before",
        },
    ),
    "a wrong remainder in a draw": (
        """UPDATE credits_grantdraw SET remaining_after = remaining_after + 1
        WHERE entry_id = (SELECT max(entry_id) FROM credits_grantdraw)""",
        {"I3 each remainder follows from the one before"},
    ),
    "a usage line gone": (
        """DELETE FROM credits_usageline
        WHERE entry_id = (SELECT max(entry_id) FROM credits_usageline)""",
        {"I1 a spend costs what its lines cost"},
    ),
    "a usage line on a grant's entry": (
        """UPDATE credits_usageline SET credits = 0;
        UPDATE credits_usageline SET entry_id = (
            SELECT min(id) FROM credits_ledgerentry
        ) WHERE entry_id = (SELECT min(entry_id) FROM credits_usageline)""",
        {"I1 a spend costs what its lines cost"},
    ),
    "a balance from nowhere": (
        "UPDATE credits_wallet SET balance = balance + 500",
        {
            "I2 a wallet is the sum of its entries",
            "I3 a wallet is the sum of its grants",
        },
    ),
    "a member who was charged less": (
        """INSERT INTO credits_memberusage (wallet_id, member_id, since, credits)
        SELECT id, 7, created_at, 5 FROM credits_wallet""",
        {"I2 a member's usage is the sum of their charges"},
    ),
    "caps from nowhere": (
        "UPDATE credits_wallet SET has_caps = true",
        {"I2 a wallet knows whether it has caps"},
    ),
    "a grant with more left": (
        "UPDATE credits_creditgrant SET remaining = remaining + 1 WHERE is_open",
        {
            "I3 a grant is the sum of its draws",
            "I3 a wallet is the sum of its grants",
        },
    ),
    "a grant of more than was granted": (
        "UPDATE credits_creditgrant SET granted = granted + 1 WHERE is_open",
        {"I3 a grant is the sum of its draws"},
    ),
    "held credits that the wallet does not know": (
        "UPDATE credits_creditgrant SET held = 1 WHERE is_open",
        {
            "I3 a grant is the sum of its draws",
            "I3 a wallet is the sum of its grants",
        },
    ),
    "a frozen grant that the wallet does not know": (
        "UPDATE credits_creditgrant SET frozen_for = '{PAUSE}' WHERE is_open",
        {
            "I3 a grant is the sum of its draws",
            "I3 a wallet is the sum of its grants",
            "I4 a wallet knows whose turn it is",
        },
    ),
    "a hold of more than remains": (
        "UPDATE credits_creditgrant SET held = remaining + 1 WHERE is_open",
        {
            "I3 a grant is the sum of its draws",
            "I3 a wallet is the sum of its grants",
            "I4 nothing is negative or more than there was",
        },
    ),
    "a debt below nothing": (
        "UPDATE credits_wallet SET debt = -1",
        {
            "I2 a wallet is the sum of its entries",
            "I4 nothing is negative or more than there was",
        },
    ),
    "an open grant that is closed": (
        "UPDATE credits_creditgrant SET is_open = false WHERE is_open",
        {
            "I3 a wallet is the sum of its grants",
            "I4 a wallet knows whose turn it is",
            "I4 nothing is negative or more than there was",
        },
    ),
    "a hold that charged more than its entries say": (
        """INSERT INTO credits_hold (public_id, wallet_id, state, credits, captured,
            rate_plan, rate_version, reference, member, placed_at, expires_at,
            extendable_until, closed_at)
        SELECT 'hld_x', id, 'CAPTURED', 5, 5, 'standard', 1, '', '', created_at,
            created_at + interval '1 day', created_at + interval '7 days', created_at
        FROM credits_wallet""",
        {"I4 a hold pins what it has not charged"},
    ),
    "a turn that is a frozen grant's": (
        """WITH lot AS (
            UPDATE credits_creditgrant SET frozen_for = '{PAUSE}' WHERE is_open
            RETURNING id
        )
        UPDATE credits_wallet SET next_grant_id = lot.id FROM lot""",
        {
            "I3 a grant is the sum of its draws",
            "I3 a wallet is the sum of its grants",
            "I4 a wallet knows whose turn it is",
        },
    ),
    "a hold that pins another grant than it says": (
        """WITH job AS (
            INSERT INTO credits_hold (public_id, wallet_id, state, credits, captured,
                rate_plan, rate_version, reference, member, placed_at, expires_at,
                extendable_until, closed_at, grant_id)
            SELECT 'hld_x', id, 'RELEASED', 0, 0, 'standard', 1, '', '', created_at,
                created_at + interval '1 day', created_at + interval '7 days',
                created_at, -1
            FROM credits_wallet RETURNING id
        )
        UPDATE credits_ledgerentry SET kind = 'HOLD', hold_id = job.id
        FROM job WHERE kind = 'SPEND' AND seq = 3""",
        {
            "I1 a spend costs what its lines cost",
            "I4 a hold knows what it pins",
            "I4 a hold pins what it has not charged",
        },
    ),
    "a forgotten expiry": (
        "UPDATE credits_wallet SET next_expiry_at = NULL",
        {"I4 the next expiry is known"},
    ),
}


@pytest.fixture
def books():
    """A wallet with two grants, two spends over both, and an expiry to come."""
    wallet = make_wallet(
        grants={"soon": (50, timedelta(days=5)), "later": (100, timedelta(days=9))}
    )
    ledger.spend(job(wallet, credits=20), at=NOW)
    ledger.spend(job(wallet, credits=70), at=NOW)
    return wallet


@pytest.fixture
def corrupt(books, monkeypatch):
    """Break the books as their owner; the audit looks at them before it is undone."""
    owner = connections["owner"]
    monkeypatch.setattr(audits, "connection", owner)
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, conname FROM pg_constraint"
            " WHERE contype IN ('c', 'f') AND conrelid = ANY (%s::regclass[])",
            [list(TABLES)],
        )
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor.execute
        transaction.set_rollback(True, using="owner")
    owner.close()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestVerify:
    def test_finds_nothing_in_good_books(self, books):
        assert audits.verify() == []

    @pytest.mark.parametrize("corruption", CORRUPTIONS)
    def test_names_what_is_wrong(self, corrupt, corruption):
        statement, checks = CORRUPTIONS[corruption]

        corrupt(statement)

        findings = audits.verify()
        assert {finding.check for finding in findings} == checks
        assert all(finding.text for finding in findings)

    def test_has_seen_every_check_notice_something(self):
        noticed = set().union(*(checks for _, checks in CORRUPTIONS.values()))

        assert noticed == {
            name
            for name in audits.names()
            if name.startswith(("I1 ", "I2 ", "I3 ", "I4 "))
        }


@pytest.mark.django_db
class TestRegister:
    @pytest.fixture(autouse=True)
    def _own_checks(self, monkeypatch):
        monkeypatch.setattr(audits, "_checks", {})

    def test_adds_sql_whose_rows_are_findings(self):
        audits.register("X", "SELECT 'wallet ' || n FROM generate_series(1, 2) AS n")

        assert audits.verify() == [
            audits.Finding("X", "wallet 1"),
            audits.Finding("X", "wallet 2"),
        ]

    def test_adds_a_function_that_yields_findings(self):
        audits.register("Y", lambda: ["one", "two"])

        assert [finding.text for finding in audits.verify()] == ["one", "two"]

    def test_tells_the_first_findings_of_a_broken_ledger(self):
        audits.register("X", "SELECT n::text FROM generate_series(1, 1000) AS n")

        assert len(audits.verify()) == audits.MAX_FINDINGS

    def test_command_says_so_and_exits_with_1(self, capsys):
        audits.register("X", "SELECT 'wallet 7'")

        with pytest.raises(CommandError, match=r"1 findings\.") as ended:
            call_command("verify_ledger")

        assert ended.value.returncode == 1
        assert capsys.readouterr().err.strip() == "X: wallet 7"

    def test_command_counts_its_checks_when_all_is_well(self, capsys):
        audits.register("X", "SELECT 1 WHERE false")

        call_command("verify_ledger")

        assert capsys.readouterr().out.strip() == "1 checks, no findings."
