"""What a draft of rates would have cost each customer, on their own last 30 days.

Every line of every job is rated again, each rounded as it was (R6): in the database,
some wallets at a time, so that memory stays flat. What was given back, and what was
above a quote and not charged (R71), counts as it did.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import nlargest
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from django.db.models import F, Q

from credits import rate_drafts
from credits.core.forecast import Lot, Pace, forecast
from credits.models import CreditGrant, LedgerEntry, Wallet
from credits.statements import ENDS_AT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from credits.models import RateDraft

WINDOW = timedelta(days=30)

_DAY = timedelta(days=1)
_AT_ONCE = 500  # wallets
_LISTED = 50

# ExactRate.cost of core/rating.py, in SQL: a test compares the two. Nothing leaves a
# bigint, for quantities end at 10^12 and drafted rates at 10^6.
PRICE = """
    CASE WHEN rate.credits = 0 THEN 0
        ELSE greatest(1, (line.quantity * rate.credits + rate.per - 1) / rate.per) END
"""
_RATED_AGAIN = """
    SELECT entry.wallet_id, line.feature, sum(line.credits)::bigint,
        sum(CASE WHEN line.feature = 'absorbed' THEN line.credits
            WHEN rate.feature IS NULL THEN 0 ELSE {price} END)::bigint,
        count(*) FILTER (WHERE rate.feature IS NULL AND line.feature <> 'absorbed')
    FROM credits_ledgerentry AS entry
    JOIN credits_usageline AS line ON line.entry_id = entry.id
    LEFT JOIN unnest(%(features)s::varchar[], %(credits)s::bigint[], %(per)s::bigint[])
        AS rate (feature, credits, per) ON rate.feature = line.feature
    WHERE entry.wallet_id = ANY (%(wallets)s) AND entry.kind IN ('SPEND', 'CAPTURE')
        AND entry.occurred_at >= %(since)s AND entry.occurred_at < %(until)s
    GROUP BY entry.wallet_id, line.feature
    UNION ALL
    SELECT entry.wallet_id, 'given-back', -sum(entry.credits)::bigint,
        -sum(entry.credits)::bigint, 0
    FROM credits_ledgerentry AS entry
    JOIN credits_ledgerentry AS job ON job.id = entry.reverses_id
        AND job.kind IN ('SPEND', 'CAPTURE')
    WHERE entry.wallet_id = ANY (%(wallets)s) AND entry.kind = 'REVERSE'
        AND entry.occurred_at >= %(since)s AND entry.occurred_at < %(until)s
    GROUP BY entry.wallet_id
    ORDER BY 1, 2
"""


class FeatureCost(NamedTuple):
    """What one feature cost a wallet, and would have; jobs that would be refused."""

    wallet_id: int
    feature: str
    charged: int
    drafted: int
    refused: int


@dataclass(slots=True)
class Cost:
    """Credits that were charged, and that the draft would have charged."""

    charged: int = 0
    drafted: int = 0
    refused: int = 0

    @property
    def difference(self) -> int:
        """Return what more would have been charged; negative: less."""
        return self.drafted - self.charged

    @property
    def percent(self) -> int | None:
        """Return the difference in hundredths, rounded half up; None: of nothing."""
        if self.charged <= 0:
            return None
        return (200 * self.difference + self.charged) // (2 * self.charged)

    def add(self, other: FeatureCost) -> None:
        """Count a feature's cost in."""
        self.charged += other.charged
        self.drafted += other.drafted
        self.refused += other.refused


@dataclass(frozen=True, slots=True)
class CustomerImpact:
    """One customer's cost, by feature too, and when the credits that are there end.

    `runs_out_at` is at the pace so far, `would_run_out_at` at that of the draft.
    """

    wallet: Wallet
    cost: Cost
    features: tuple[FeatureCost, ...]
    runs_out_at: datetime | None
    would_run_out_at: datetime | None

    @property
    def runs_out(self) -> bool:
        """Whether nothing is left before the cycle ends, at the pace so far."""
        return self._is_in_cycle(self.runs_out_at)

    @property
    def would_run_out(self) -> bool:
        """Whether nothing is left before the cycle ends, at the pace of the draft."""
        return self._is_in_cycle(self.would_run_out_at)

    def _is_in_cycle(self, instant: datetime | None) -> bool:
        ends_at = self.wallet.cycle_ends_at
        return instant is not None and ends_at is not None and instant < ends_at


@dataclass(slots=True)
class Impact:
    """All customers' costs; `listed` are those whose rise most."""

    since: datetime
    total: Cost = field(default_factory=Cost)
    features: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    dearer: int = 0
    cheaper: int = 0
    unchanged: int = 0
    run_out: int = 0
    would_run_out: int = 0
    listed: list[CustomerImpact] = field(default_factory=list)

    @property
    def customers(self) -> int:
        """Return how many used anything."""
        return self.dearer + self.cheaper + self.unchanged

    def counting(self, customers: Iterable[CustomerImpact]) -> Iterator[CustomerImpact]:
        """Yield customers, and count them in."""
        for customer in customers:
            for one in customer.features:
                self.total.add(one)
                self.features[one.feature].add(one)
            self.dearer += customer.cost.difference > 0
            self.cheaper += customer.cost.difference < 0
            self.unchanged += customer.cost.difference == 0
            self.run_out += customer.runs_out
            self.would_run_out += customer.would_run_out
            yield customer


def impact_of(draft: RateDraft, *, at: datetime) -> Impact:
    """Return what a draft would have cost all customers together, and some by name."""
    impact = Impact(since=at - WINDOW)
    impact.listed = nlargest(
        _LISTED,
        impact.counting(customers_of(draft, at=at)),
        key=lambda each: (each.cost.difference, each.would_run_out, -each.wallet.pk),
    )
    return impact


def customers_of(draft: RateDraft, *, at: datetime) -> Iterator[CustomerImpact]:
    """Yield everybody who used anything in the last 30 days, in a steady order."""
    wallets = next_wallets(draft, after=0, limit=_AT_ONCE)
    while wallets:
        yield from impacts_on(wallets, draft, at=at)
        wallets = next_wallets(draft, after=wallets[-1].pk, limit=_AT_ONCE)


def next_wallets(draft: RateDraft, *, after: int, limit: int) -> list[Wallet]:
    """Return the next wallets that a draft is for."""
    wallets = Wallet.objects.filter(rate_plan=draft.based_on.rate_plan, pk__gt=after)
    return list(wallets.select_related("account").order_by("pk")[:limit])


def impacts_on(
    wallets: Sequence[Wallet], draft: RateDraft, *, at: datetime
) -> Iterator[CustomerImpact]:
    """Yield those of some wallets whose cost or balance a draft concerns."""
    by_id = {wallet.pk: wallet for wallet in wallets}
    costs = _costs(by_id, draft, since=at - WINDOW, until=at)
    used = {
        wallet_id: tuple(rows)
        for wallet_id, rows in groupby(costs, key=lambda row: row.wallet_id)
    }
    lots, ages = _lots(used, at=at), _ages(used, at=at)
    for wallet_id, features in used.items():
        cost = Cost()
        for one in features:
            cost.add(one)
        runs_out_at, would_run_out_at = (
            _runs_out_at(lots[wallet_id], Pace(max(credits, 0), ages[wallet_id]), at)
            for credits in (cost.charged, cost.drafted)
        )
        yield CustomerImpact(
            by_id[wallet_id], cost, features, runs_out_at, would_run_out_at
        )


def _costs(
    wallets: Iterable[int], draft: RateDraft, *, since: datetime, until: datetime
) -> list[FeatureCost]:
    lines = rate_drafts.lines_of(draft)
    asked: dict[str, list[str] | list[int] | datetime] = {
        "features": [line.feature for line in lines],
        "credits": [line.credits for line in lines],
        "per": [line.per for line in lines],
        "wallets": list(wallets),
        "since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RATED_AGAIN.format(price=PRICE), asked)
        return [FeatureCost(*row) for row in cursor.fetchall()]


def _runs_out_at(lots: list[Lot], pace: Pace, at: datetime) -> datetime | None:
    return forecast(lots, pace, at=at).runs_out_at


def _lots(wallets: Iterable[int], *, at: datetime) -> defaultdict[int, list[Lot]]:
    """Return what a new job can draw, as `forecasting` takes it, without expiring."""
    grants = (
        CreditGrant.objects.filter(wallet__in=wallets, is_open=True, frozen_for=[])
        .annotate(ends_at=ENDS_AT)
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
        .order_by("wallet_id", F("ends_at").asc(nulls_last=True))
    )
    lots: defaultdict[int, list[Lot]] = defaultdict(list)
    for grant in grants:
        if usable := grant.remaining - grant.held:
            lots[grant.wallet_id].append(Lot(usable, grant.ends_at))
    return lots


def _ages(wallets: Iterable[int], *, at: datetime) -> dict[int, int]:
    """Return the days that usage is spread over: a young account has fewer."""
    first = LedgerEntry.objects.filter(wallet__in=wallets, seq=1)
    return {
        wallet_id: min(max(-((began - at) // _DAY), 1), WINDOW // _DAY)
        for wallet_id, began in first.values_list("wallet_id", "occurred_at")
    }
