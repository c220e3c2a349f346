"""That history never changes: a digest of it, taken now and compared later (I9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from credits.audits import MAX_FINDINGS, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Digest:
    """What a wallet's entries were, up to number `seq`."""

    seq: int
    sha256: str


def digest(up_to: Mapping[int, int] | None = None) -> dict[int, Digest]:
    """Return a digest of each wallet's history, by its id: all of it.

    With `up_to`, of those wallets only and only to the entry number given for each.
    """
    wallets = "SELECT id AS wallet_id, seq FROM credits_wallet"
    bounds: list[list[int]] = []
    if up_to is not None:
        wallets = (
            "SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS b (wallet_id, seq)"
        )
        bounds = [list(up_to.keys()), list(up_to.values())]
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST.format(wallets=wallets), bounds)
        return {
            wallet_id: Digest(seq, sha256)
            for wallet_id, seq, sha256 in cursor.fetchall()
        }


def verify(recorded: Mapping[int, Digest]) -> list[Finding]:
    """Return the wallets whose entries are no longer what was recorded (I9)."""
    found = digest({wallet: then.seq for wallet, then in recorded.items()})
    return [
        Finding(
            "I9 history never changes",
            f"the entries of wallet {wallet} up to number {then.seq} have changed",
        )
        for wallet, then in sorted(recorded.items())
        if found[wallet] != then
    ][:MAX_FINDINGS]


# Names its columns: one that a later version adds must not change what was recorded.
_DIGEST = """
    SELECT wallet.wallet_id, wallet.seq, encode(sha256(coalesce(
        string_agg(sha256(convert_to(concat(
            ROW(entry.id, entry.seq, kind, credits, held, frozen, debt, balance_after,
                hold_id, reverses_id, idempotency_key, encode(request_hash, 'hex'),
                member_id, member, reference, actor, reason,
                occurred_at AT TIME ZONE 'UTC', created_at AT TIME ZONE 'UTC'),
            drawn.draws, used.lines), 'UTF8')), '' ORDER BY entry.seq), '')), 'hex')
    FROM ({wallets}) AS wallet
    LEFT JOIN credits_ledgerentry AS entry
        ON entry.wallet_id = wallet.wallet_id AND entry.seq <= wallet.seq
    LEFT JOIN (
        SELECT entry_id, string_agg(
            ROW(grant_id, wallet_id, credits, held, frozen, remaining_after)::text, ';'
            ORDER BY position, grant_id) AS draws
        FROM credits_grantdraw GROUP BY entry_id
    ) AS drawn ON drawn.entry_id = entry.id
    LEFT JOIN (
        SELECT entry_id, string_agg(
            ROW(wallet_id, feature, quantity, rate_version, credits)::text, ';'
            ORDER BY position) AS lines
        FROM credits_usageline GROUP BY entry_id
    ) AS used ON used.entry_id = entry.id
    GROUP BY wallet.wallet_id, wallet.seq
    ORDER BY wallet.wallet_id
"""
