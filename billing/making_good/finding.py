"""Finding what jobs cost during an incident: by job and feature.

Source: docs/rules.md R3, R94, R100.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Account
from billing.adjusting import AdjustmentRefused
from credits.models import Rate

if TYPE_CHECKING:
    from datetime import datetime

    from credits.models import WalletUnit

MOST_DEBITS = 100_000
LONGEST = timedelta(days=31)
_TOP = 10


@dataclass(frozen=True, slots=True)
class Incident:
    """What failed, and when: from an instant on, until another that is not included."""

    features: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    unit: WalletUnit
    reference_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Debit:
    """What one job used of a feature that failed, and what that was paid with."""

    entry_id: int
    account_id: int
    feature: str
    credits: int
    cents: int


@dataclass(frozen=True, slots=True)
class AccountShare:
    """What one account gets back."""

    account: Account
    jobs: int
    credits: int
    cents: int


@dataclass(frozen=True, slots=True)
class Found:
    """All debits of an incident, and the accounts that get the most back."""

    incident: Incident
    debits: tuple[Debit, ...]
    top: tuple[AccountShare, ...]

    @property
    def accounts(self) -> int:
        """Return how many accounts are affected."""
        return len({debit.account_id for debit in self.debits})

    @property
    def jobs(self) -> int:
        """Return how many jobs are affected."""
        return len({debit.entry_id for debit in self.debits})

    @property
    def credits(self) -> int:
        """Return what all get back together."""
        return sum(debit.credits for debit in self.debits)

    @property
    def cents(self) -> int:
        """Return what these credits were paid with (R100)."""
        return sum(debit.cents for debit in self.debits)

    @property
    def shown(self) -> str:
        """Return what a form carries, so that only what was shown is done (R37)."""
        return sha256(f"{self.incident}{self.debits}".encode()).hexdigest()


def find(incident: Incident) -> Found:
    """Return what jobs used and have not been given back, by account, job and feature.

    Raises:
        AdjustmentRefused: the span is too long, or there are too many.
    """
    if incident.ends_at - incident.starts_at > LONGEST:
        raise AdjustmentRefused(_("Choose a span of at most 31 days."))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM billing_affected_debits(%s::text[], %s, %s, %s, %s, %s)",
            [
                *([*incident.features], incident.starts_at, incident.ends_at),
                *(incident.reference_prefix, incident.unit, MOST_DEBITS + 1),
            ],
        )
        debits = tuple(Debit(*row) for row in cursor.fetchall())
    if len(debits) > MOST_DEBITS:
        raise AdjustmentRefused(_("More than 100,000 jobs: choose a shorter span."))
    return Found(incident, debits, _top(debits))


def features_charged() -> list[tuple[str, str]]:
    """Return what jobs are or were charged for, by code and label."""
    rates = Rate.objects.order_by("feature", "-rate_card_id").distinct("feature")
    return sorted(rates.values_list("feature", "label"), key=lambda one: one[1])


def _top(debits: tuple[Debit, ...]) -> tuple[AccountShare, ...]:
    credits, cents = Counter[int](), Counter[int]()
    for debit in debits:
        credits[debit.account_id] += debit.credits
        cents[debit.account_id] += debit.cents
    of_jobs = {debit.entry_id: debit.account_id for debit in debits}
    jobs = Counter(of_jobs.values())
    most = [pk for pk, _credits in credits.most_common(_TOP)]
    accounts = Account.objects.in_bulk(most)
    return tuple(
        AccountShare(accounts[pk], jobs[pk], credits[pk], cents[pk]) for pk in most
    )
