"""Days and weeks of busy wallets, added up ahead of readers: credits/sql/usage.sql.

Whether that was done, how late or how often changes no figure: readers add whatever
entries are not in the days yet.
"""

from __future__ import annotations

from django.db import connection

from credits.ledger.calling import call

# How many entries a page adds by itself and is still quick.
LONG_TAIL = 1_000
CHUNK = 20_000

# Pages count the days of the account's time zone (R16); the API and forecasts those of
# UTC. An account that changes its zone leaves days behind, which stay right.
_DUE = """
    SELECT wallet.id, zone.name
    FROM credits_wallet AS wallet
    JOIN accounts_account AS account ON account.id = wallet.account_id
    CROSS JOIN LATERAL (SELECT account.time_zone UNION SELECT 'UTC') AS zone (name)
    LEFT JOIN credits_usagemark AS mark
        ON mark.wallet_id = wallet.id AND mark.zone = zone.name
    WHERE wallet.seq >= %(tail)s AND (
        wallet.seq - coalesce(mark.seq, 0) >= %(tail)s OR mark.weeks_seq <> mark.seq
    )
    ORDER BY wallet.seq - coalesce(mark.seq, 0) DESC, wallet.id, zone.name
"""


def due() -> list[tuple[int, str]]:
    """Return wallets and time zones with many entries to add up, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"tail": LONG_TAIL})
        return [(wallet_id, zone) for wallet_id, zone in cursor.fetchall()]


def add_up(wallet_id: int, zone: str) -> int:
    """Add the next entries to a wallet's days and weeks, and return how many they were.

    Less than CHUNK: there are no more for now, or another worker is at it.
    """
    [row] = call("SELECT usage_add_up(%s, %s, %s) AS n", [wallet_id, zone, CHUNK])
    return int(row.n)
