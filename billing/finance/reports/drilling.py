"""The rows behind a number of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from billing.finance.reports.amounts import Amount
from billing.finance.reports.dating import before, bounds, instant, rows
from billing.finance.reports.deferred import DEFERRED, ENDS_IN
from billing.finance.reports.owed import BUCKET, OWED
from billing.finance.reports.revenue import BY_GRANT, matures_since
from billing.models import BOOKED_ACCOUNTS

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.periods import Span
    from billing.finance.reports.dating import Values


@dataclass(frozen=True, slots=True)
class Behind:
    """One row behind a number: `reference` is its entry, grant, row or Stripe's id.

    `account` is the public id of the customer's account, "" where it is nobody's.
    """

    id: int
    at: datetime
    account: str
    kind: str
    reference: str
    credits: int
    cents: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows are behind a number, and what they come to."""

    count: int
    amount: Amount


_TOTAL = """
    SELECT count(*) AS count, coalesce(sum(credits), 0)::bigint AS credits,
        coalesce(sum(cents), 0)::bigint AS cents
    FROM ({found}) AS found
"""
_PAGE = """
    SELECT found.id, at, coalesce(account.public_id, '') AS account, kind, reference,
        credits, cents
    FROM ({found}) AS found
    LEFT JOIN accounts_account AS account ON account.id = found.account_id
    WHERE found.id > %(after)s ORDER BY found.id LIMIT %(limit)s
"""
_WANTED = f"{before('end')} AND NOT {before('start')}"
# "ledger/USED", or of one unit and group: "ledger/USED/CREDITS/plan/business".
_LEDGER = f"""
    SELECT moved.entry_id AS id, min({instant()}) AS at, wallet.account_id,
        movement AS kind, moved.entry_id::text AS reference,
        sum(moved.credits)::bigint AS credits, sum(moved.cents)::bigint AS cents
    FROM billing_moved_since(%(start)s) AS moved
    JOIN credits_creditgrant AS lot ON lot.id = moved.grant_id
    JOIN credits_wallet AS wallet ON wallet.id = moved.wallet_id
    WHERE moved.credits <> 0 AND movement = %(first)s AND {_WANTED}
        AND (%(second)s = '' OR wallet.unit = %(second)s)
        AND CASE %(split)s WHEN 'source' THEN lot.source = %(group)s
            WHEN 'plan' THEN %(group)s IN (SELECT plan FROM billing_grant_plan(
                lot.source_key, wallet.account_id, lot.effective_at))
            ELSE true END
    GROUP BY moved.entry_id, wallet.account_id, movement
"""  # noqa: S608 - our own names
# "cash/charge"
_CASH = f"""
    SELECT id, {instant()} AS at, account_id, category AS kind,
        stripe_balance_transaction_id AS reference, 0::bigint AS credits,
        amount_cents - fee_cents AS cents
    FROM (SELECT *, booked_at AS occurred_at FROM billing_balancemovement) AS moved
    WHERE category = %(first)s AND {_WANTED}
"""  # noqa: S608 - our own names
_CENTS = " ".join(f"WHEN '{name}' THEN {name}" for name in BOOKED_ACCOUNTS)
# "booked/REFUND/breakage"
_BOOKED = f"""
    SELECT id, {instant()} AS at, account_id, kind, reference, 0::bigint AS credits,
        CASE %(second)s {_CENTS} END AS cents
    FROM billing_booking
    WHERE kind = %(first)s AND CASE %(second)s {_CENTS} END <> 0 AND {_WANTED}
"""  # noqa: S608 - our own names
# "owed/CREDITS/0-30": of each grant, at the end of the period.
_OWED = f"""
    SELECT grant_id AS id, created_at AS at, account_id, 'GRANT' AS kind,
        source_key AS reference, credits, cents
    FROM ({OWED}) AS owed
    WHERE unit = %(first)s AND {BUCKET} = %(second)s
"""  # noqa: S608 - our own names
# "deferred/granted/2027-03", or "unbegun", or "all": what ends then, or "never".
_DEFERRED = f"""
    SELECT id, at, account_id, kind, reference, credits, cents
    FROM ({DEFERRED}) AS deferred
    WHERE CASE %(first)s WHEN 'granted' THEN NOT is_unbegun
            WHEN 'unbegun' THEN is_unbegun ELSE %(first)s = 'all' END
        AND coalesce(to_char({ENDS_IN}, 'YYYY-MM'), 'never') = %(second)s
"""  # noqa: S608 - our own names
# "breakage/broken/PLAN": of each grant, what an estimate is made of.
_BREAKAGE = f"""
    SELECT id, at, account_id, 'GRANT' AS kind, reference, credits, cents
    FROM (
        SELECT by_grant.id, lot.effective_at AS at, wallet.account_id,
            lot.source_key AS reference,
            CASE %(first)s WHEN 'matured' THEN by_grant.granted
                WHEN 'broken' THEN broken ELSE 0 END AS credits,
            CASE %(first)s WHEN 'matured' THEN by_grant.cost_basis_cents
                WHEN 'broken' THEN broken_cents WHEN 'used' THEN used_now
                WHEN 'ended' THEN ended_now ELSE 0 END AS cents
        FROM ({BY_GRANT}) AS by_grant
        JOIN credits_creditgrant AS lot ON lot.id = by_grant.id
        JOIN credits_wallet AS wallet ON wallet.id = lot.wallet_id
        WHERE by_grant.source = %(second)s
            AND (has_matured OR %(first)s NOT IN ('matured', 'broken'))
    ) AS counted
    WHERE credits <> 0 OR cents <> 0
"""  # noqa: S608 - our own names
_FOUND = {
    "ledger": _LEDGER,
    "cash": _CASH,
    "booked": _BOOKED,
    "owed": _OWED,
    "deferred": _DEFERRED,
    "breakage": _BREAKAGE,
}
# How many names a kind has, if not two.
_NAMES = {"ledger": (1, 4), "cash": (1,)}
_NONE = ("", "", "", "")


class UnknownDrill(ValueError):
    """No report gave out such a key."""


def behind(drill: str, period: Span, *, after: int = 0, limit: int) -> list[Behind]:
    """Return up to `limit` rows behind a number, by id, those after `after`.

    Raises:
        UnknownDrill: no report gave out this key.
    """
    found, values = _asked(drill, period)
    values = {**values, "after": after, "limit": limit}
    return [Behind(**vars(row)) for row in rows(_PAGE.format(found=found), values)]


def total(drill: str, period: Span) -> Total:
    """Return what all rows behind a number come to: the number.

    Raises:
        UnknownDrill: no report gave out this key.
    """
    found, values = _asked(drill, period)
    [row] = rows(_TOTAL.format(found=found), values)
    return Total(row.count, Amount(row.credits, row.cents))


def _asked(drill: str, period: Span) -> tuple[str, Values]:
    kind, *names = drill.split("/")
    if kind not in _FOUND or len(names) not in _NAMES.get(kind, (2,)):
        raise UnknownDrill(drill)
    places = ("first", "second", "split", "group")
    return _FOUND[kind], {
        **bounds(start=period.starts_at, end=period.ends_at),
        "since": matures_since(period),
        "zone": settings.FINANCE_TIME_ZONE,
        **dict(zip(places, [*names, *_NONE], strict=False)),
    }
