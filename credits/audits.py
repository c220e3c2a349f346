"""Checks that the books are right: what `manage.py verify_ledger` runs.

Each check is one pass over its tables and yields a sentence for each thing that is
wrong. Other apps register their own. All checks of a run see the same instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection, transaction

Check = Callable[[], Iterable[str]]

# A broken ledger may have millions of findings; the first ones say enough.
MAX_FINDINGS = 100

_checks: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the check that noticed."""

    check: str
    text: str


def register(name: str, check: str | Check) -> None:
    """Add a check: SQL whose rows are findings, or a function that yields them.

    Registering a name again replaces its check.
    """
    _checks[name] = _sql_check(check) if isinstance(check, str) else check


def names() -> tuple[str, ...]:
    """Return the names of all checks, in the order in which they run."""
    return tuple(_checks)


def verify() -> list[Finding]:
    """Run every check on one snapshot of the database and return what is wrong."""
    # Within a caller's transaction it is too late to choose a snapshot.
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [
            Finding(name, text) for name, check in _checks.items() for text in check()
        ]


def _sql_check(sql: str) -> Check:
    def check() -> Iterable[str]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [str(text) for (text,) in cursor.fetchmany(MAX_FINDINGS)]

    return check


register(
    "I1 an entry is the sum of its draws",
    """
    SELECT format(
        'entry %s of wallet %s: %s credits, %s held, %s frozen; its draws %s, %s, %s',
        entry.id, entry.wallet_id, entry.credits, entry.held, entry.frozen,
        coalesce(drawn.credits, 0), coalesce(drawn.held, 0), coalesce(drawn.frozen, 0))
    FROM credits_ledgerentry AS entry
    LEFT JOIN (
        SELECT entry_id, sum(credits) AS credits, sum(held) AS held,
            sum(frozen) AS frozen
        FROM credits_grantdraw GROUP BY entry_id
    ) AS drawn ON drawn.entry_id = entry.id
    WHERE (entry.credits, entry.held, entry.frozen) <> (
        coalesce(drawn.credits, 0), coalesce(drawn.held, 0), coalesce(drawn.frozen, 0))
    ORDER BY entry.id
    """,
)
register(
    "I1 each balance follows from the one before",
    """
    SELECT format('entry %s of wallet %s: %s after %s does not make %s',
        id, wallet_id, credits, before, balance_after)
    FROM (
        SELECT id, wallet_id, credits, balance_after,
            lag(balance_after, 1, 0::bigint) OVER wallet AS before
        FROM credits_ledgerentry
        WINDOW wallet AS (PARTITION BY wallet_id ORDER BY seq)
    ) AS entry
    WHERE balance_after <> before + credits
    ORDER BY id
    """,
)
register(
    "I1 entries are numbered without gaps",
    """
    SELECT format('wallet %s has %s entries, numbered %s to %s',
        wallet_id, count(*), min(seq), max(seq))
    FROM credits_ledgerentry
    GROUP BY wallet_id
    HAVING min(seq) <> 1 OR max(seq) <> count(*)
    ORDER BY wallet_id
    """,
)
register(
    "I1 a draw is of its entry's wallet and its grant's",
    """
    SELECT format('draw of entry %s on grant %s is filed under wallet %s',
        draw.entry_id, draw.grant_id, draw.wallet_id)
    FROM credits_grantdraw AS draw
    LEFT JOIN credits_ledgerentry AS entry ON entry.id = draw.entry_id
    LEFT JOIN credits_creditgrant AS lot ON lot.id = draw.grant_id
    WHERE draw.wallet_id IS DISTINCT FROM entry.wallet_id
        OR draw.wallet_id IS DISTINCT FROM lot.wallet_id
    ORDER BY draw.entry_id, draw.grant_id
    """,
)
register(
    "I1 a usage line is of its entry's wallet",
    """
    SELECT format('line %s of entry %s is filed under wallet %s',
        line.position, line.entry_id, line.wallet_id)
    FROM credits_usageline AS line
    LEFT JOIN credits_ledgerentry AS entry ON entry.id = line.entry_id
    WHERE line.wallet_id IS DISTINCT FROM entry.wallet_id
    ORDER BY line.entry_id, line.position
    """,
)
register(
    "I1 an entry is of a wallet",
    """
    SELECT format('entry %s is filed under wallet %s, which there is not',
        entry.id, entry.wallet_id)
    FROM credits_ledgerentry AS entry
    LEFT JOIN credits_wallet AS wallet ON wallet.id = entry.wallet_id
    WHERE wallet.id IS NULL
    ORDER BY entry.id
    """,
)
register(
    "I1 what an entry names is of its wallet",
    """
    SELECT format('entry %s of wallet %s names hold %s of %s, entry %s of %s',
        entry.id, entry.wallet_id, entry.hold_id, hold.wallet_id, entry.reverses_id,
        undone.wallet_id)
    FROM credits_ledgerentry AS entry
    LEFT JOIN credits_hold AS hold ON hold.id = entry.hold_id
    LEFT JOIN credits_ledgerentry AS undone ON undone.id = entry.reverses_id
    WHERE entry.hold_id IS NOT NULL AND hold.wallet_id IS DISTINCT FROM entry.wallet_id
        OR entry.reverses_id IS NOT NULL
            AND undone.wallet_id IS DISTINCT FROM entry.wallet_id
    ORDER BY entry.id
    """,
)
register(
    "I1 a spend costs what its lines cost",
    """
    SELECT format('entry %s of wallet %s took %s credits, its lines cost %s',
        entry.id, entry.wallet_id, -entry.credits, coalesce(used.credits, 0))
    FROM credits_ledgerentry AS entry
    LEFT JOIN (
        SELECT entry_id, sum(credits) AS credits
        FROM credits_usageline GROUP BY entry_id
    ) AS used ON used.entry_id = entry.id
    WHERE entry.kind IN ('SPEND', 'CAPTURE')
            AND -entry.credits <> coalesce(used.credits, 0)
        OR entry.kind NOT IN ('SPEND', 'CAPTURE') AND used.entry_id IS NOT NULL
    ORDER BY entry.id
    """,
)
register(
    "I2 a wallet is the sum of its entries",
    """
    SELECT format(
        'wallet %s says %s, its %s entries %s (credits, held, frozen, debt, number)',
        wallet.id, (balance, held, frozen, debt, seq), posted.count, posted.figures)
    FROM credits_wallet AS wallet
    CROSS JOIN LATERAL (
        SELECT count(*), (coalesce(sum(entry.credits), 0)::bigint,
            coalesce(sum(entry.held), 0)::bigint,
            coalesce(sum(entry.frozen), 0)::bigint,
            coalesce(sum(entry.debt), 0)::bigint,
            coalesce(max(entry.seq), 0)) AS figures
        FROM credits_ledgerentry AS entry WHERE entry.wallet_id = wallet.id
    ) AS posted
    WHERE (balance, held, frozen, debt, seq) <> posted.figures
    ORDER BY wallet.id
    """,
)
register(
    "I2 a member's usage is the sum of their charges",
    """
    SELECT format('wallet %s: member %s used %s credits since %s, and was charged %s',
        usage.wallet_id, usage.member_id, usage.credits, usage.since,
        -coalesce(sum(charged.credits), 0))
    FROM credits_memberusage AS usage
    LEFT JOIN (
        SELECT entry.wallet_id, entry.credits,
            coalesce(charge.member_id, entry.member_id) AS member_id,
            coalesce(charge.occurred_at, entry.occurred_at) AS charged_at
        FROM credits_ledgerentry AS entry
        LEFT JOIN credits_ledgerentry AS charge ON charge.id = entry.reverses_id
        WHERE entry.kind IN ('SPEND', 'CAPTURE', 'REVERSE')
    ) AS charged ON charged.wallet_id = usage.wallet_id
        AND charged.member_id = usage.member_id AND charged.charged_at >= usage.since
    GROUP BY usage.wallet_id, usage.member_id
    HAVING usage.credits <> -coalesce(sum(charged.credits), 0)
    ORDER BY usage.wallet_id, usage.member_id
    """,
)
register(
    "I2 a wallet knows whether it has caps",
    """
    SELECT format('wallet %s says has_caps = %s and has %s', id, has_caps, caps)
    FROM credits_wallet
    LEFT JOIN (
        SELECT wallet_id, count(*) AS caps FROM credits_membercap GROUP BY wallet_id
    ) AS cap ON cap.wallet_id = credits_wallet.id
    WHERE has_caps <> (caps IS NOT NULL)
    ORDER BY id
    """,
)
register(
    "I3 a grant is the sum of its draws",
    """
    SELECT format(
        'grant %s of wallet %s: %s of %s left, %s held; its draws leave %s of %s, %s',
        lot.id, lot.wallet_id, lot.remaining, lot.granted, lot.held,
        coalesce(drawn.credits, 0), coalesce(drawn.granted, 0), coalesce(drawn.held, 0))
    FROM credits_creditgrant AS lot
    LEFT JOIN (
        SELECT grant_id, sum(credits) AS credits, sum(held) AS held,
            sum(frozen) AS frozen, max(credits) AS granted
        FROM credits_grantdraw GROUP BY grant_id
    ) AS drawn ON drawn.grant_id = lot.id
    WHERE lot.remaining <> coalesce(drawn.credits, 0)
        OR lot.held <> coalesce(drawn.held, 0)
        OR lot.granted <> coalesce(drawn.granted, 0)
        OR coalesce(drawn.frozen, 0)
            <> CASE WHEN frozen_for = '{}' THEN 0 ELSE lot.remaining - lot.held END
    ORDER BY lot.id
    """,
)
register(
    "I3 each remainder follows from the one before",
    """
    SELECT format('entry %s left %s of grant %s, not %s',
        entry_id, remaining_after, grant_id, expected)
    FROM (
        SELECT draw.entry_id, draw.grant_id, draw.remaining_after,
            sum(draw.credits) OVER (PARTITION BY draw.grant_id ORDER BY entry.seq)
                AS expected
        FROM credits_grantdraw AS draw
        JOIN credits_ledgerentry AS entry ON entry.id = draw.entry_id
    ) AS draw
    WHERE remaining_after <> expected
    ORDER BY entry_id, grant_id
    """,
)
register(
    "I3 a wallet is the sum of its grants",
    """
    SELECT format(
        'wallet %s says %s credits, %s held, %s frozen; its grants have %s, %s, %s',
        wallet.id, wallet.balance, wallet.held, wallet.frozen,
        coalesce(lot.remaining, 0), coalesce(lot.held, 0), coalesce(lot.frozen, 0))
    FROM credits_wallet AS wallet
    LEFT JOIN (
        SELECT wallet_id, sum(remaining) AS remaining, sum(held) AS held,
            coalesce(sum(remaining - held) FILTER (WHERE frozen_for <> '{}'), 0)
                AS frozen
        FROM credits_creditgrant WHERE is_open GROUP BY wallet_id
    ) AS lot ON lot.wallet_id = wallet.id
    WHERE (wallet.balance, wallet.held, wallet.frozen)
        <> (coalesce(lot.remaining, 0), coalesce(lot.held, 0), coalesce(lot.frozen, 0))
    ORDER BY wallet.id
    """,
)
register(
    "I4 nothing is negative or more than there was",
    """
    SELECT format('wallet %s: balance %s, held %s, frozen %s, debt %s',
        id, balance, held, frozen, debt)
    FROM credits_wallet
    WHERE balance < held + frozen OR least(balance, held, frozen, debt) < 0
    UNION ALL
    SELECT format('grant %s of wallet %s: granted %s, remaining %s, held %s',
        id, wallet_id, granted, remaining, held)
    FROM credits_creditgrant
    WHERE held < 0 OR held > remaining OR remaining > granted OR granted <= 0
        OR is_open <> (remaining > 0)
    """,
)
register(
    "I4 the next expiry is known",
    """
    SELECT format('wallet %s expects something to end at %s, but it does at %s',
        wallet.id, wallet.next_expiry_at, due.next_at)
    FROM credits_wallet AS wallet
    JOIN (
        SELECT wallet_id, min(expires_at) AS next_at
        FROM (
            SELECT wallet_id, expires_at FROM credits_creditgrant
            WHERE is_open AND remaining > held AND clock_stopped_at IS NULL
            UNION ALL
            SELECT wallet_id, expires_at FROM credits_hold WHERE state = 'OPEN'
        ) AS open GROUP BY wallet_id
    ) AS due ON due.wallet_id = wallet.id
    -- Spends leave a date behind that is too early, which costs one look and no more.
    WHERE due.next_at < coalesce(wallet.next_expiry_at, 'infinity')
    ORDER BY wallet.id
    """,
)
register(
    "I4 a wallet knows whose turn it is",
    """
    SELECT format('wallet %s draws from grant %s, but it is the turn of grant %s',
        wallet.id, said.id, coalesce(turn.id::text, 'none'))
    FROM credits_wallet AS wallet
    JOIN credits_creditgrant AS said ON said.id = wallet.next_grant_id
    LEFT JOIN (
        SELECT lot.id, lot.wallet_id, row_number() OVER (
            PARTITION BY lot.wallet_id
            ORDER BY
                least(lot.expires_at, CASE WHEN lot.source IN ('PLAN', 'UPGRADE')
                    AND NOT holder.plan_is_over THEN holder.plan_ends_at END),
                CASE WHEN lot.source IN ('PROMO', 'ADJUSTMENT') THEN 0
                    WHEN lot.source IN ('PLAN', 'UPGRADE') THEN 1 ELSE 2 END,
                lot.effective_at, lot.id
        ) AS place
        FROM credits_creditgrant AS lot
        JOIN credits_wallet AS holder ON holder.id = lot.wallet_id
        WHERE lot.is_open AND lot.remaining > lot.held AND lot.frozen_for = '{}'
    ) AS turn ON turn.wallet_id = wallet.id AND turn.place = 1
    -- Nothing free is left of it: whoever comes next looks for another.
    WHERE said.remaining > said.held AND said.id IS DISTINCT FROM turn.id
    ORDER BY wallet.id
    """,
)
register(
    "I4 a hold knows what it pins",
    """
    SELECT format('hold %s says that it pins grant %s, but entry %s is of grant %s',
        hold.id, hold.grant_id, draw.entry_id, draw.grant_id)
    FROM credits_hold AS hold
    JOIN credits_ledgerentry AS entry
        ON entry.hold_id = hold.id AND entry.kind = 'HOLD'
    JOIN credits_grantdraw AS draw ON draw.entry_id = entry.id
    WHERE draw.grant_id <> hold.grant_id
    ORDER BY hold.id
    """,
)
register(
    "I4 a hold pins what it has not charged",
    """
    SELECT format('hold %s (%s) of wallet %s: %s of %s charged, %s pinned',
        hold.id, hold.state, hold.wallet_id, hold.captured, hold.credits,
        coalesce(moved.held, 0))
    FROM credits_hold AS hold
    LEFT JOIN (
        SELECT hold_id, sum(held) AS held, -sum(credits) AS captured
        FROM credits_ledgerentry WHERE hold_id IS NOT NULL GROUP BY hold_id
    ) AS moved ON moved.hold_id = hold.id
    WHERE hold.captured <> coalesce(moved.captured, 0)
        OR coalesce(moved.held, 0) <> CASE WHEN hold.state = 'OPEN'
            THEN hold.credits - hold.captured ELSE 0 END
    ORDER BY hold.id
    """,
)
register(
    "I1 days of usage are the sum of their entries",
    """
    SELECT format(
        'wallet %s, day %s of %s, %s: off by %s credits and a quantity of %s, '
        'entries %s to %s',
        mark.wallet_id, day, mark.zone, feature, credits, quantity, first, last
    )
    FROM (
        SELECT mark_id, day, feature, member, sum(quantity) AS quantity,
            sum(credits) AS credits, min(first_seq) AS first, max(last_seq) AS last
        FROM (
            SELECT mark_id, day, feature, member, quantity, credits, first_seq,
                last_seq, NULL AS seq
            FROM credits_usageday
            UNION ALL
            SELECT mark.id, day, feature, member, -quantity, -credits, NULL, NULL,
                used.seq
            FROM credits_usagemark AS mark
            CROSS JOIN LATERAL usage_in_entries(mark.wallet_id, mark.zone, 0, mark.seq)
                AS used
        ) AS sums
        GROUP BY mark_id, day, feature, member
        HAVING (sum(quantity), sum(credits)) <> (0, 0)
            OR (min(first_seq), max(last_seq)) <> (min(seq), max(seq))
    ) AS wrong
    JOIN credits_usagemark AS mark ON mark.id = wrong.mark_id
    ORDER BY mark.wallet_id, mark.zone, day, feature, member
    """,
)
register(
    "I1 weeks of usage are the sum of their days",
    """
    SELECT format('wallet %s, week of %s in %s of %s, %s: off by %s credits and a '
        'quantity of %s', mark.wallet_id, week, mark.zone, feature, member, credits,
        quantity)
    FROM (
        SELECT mark_id, week, feature, member, sum(quantity) AS quantity,
            sum(credits) AS credits
        FROM (
            SELECT mark_id, week, feature, member, quantity, credits, rate_version
            FROM credits_usageweek
            UNION ALL
            SELECT mark_id, date_trunc('week', day::timestamp)::date, feature, member,
                -quantity, -credits, -rate_version
            FROM credits_usageday
        ) AS sums
        GROUP BY mark_id, week, feature, member
        HAVING (sum(quantity), sum(credits)) <> (0, 0)
            OR max(rate_version) <> -min(rate_version)
    ) AS wrong
    JOIN credits_usagemark AS mark ON mark.id = wrong.mark_id
    -- Others serve nobody before they are added up anew.
    WHERE mark.weeks_seq = mark.seq
    ORDER BY mark.wallet_id, mark.zone, week, feature, member
    """,
)
