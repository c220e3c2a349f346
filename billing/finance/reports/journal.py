"""The journal: balanced double entry of credits, cash and what lies between."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from billing.finance.reports import postings
from billing.finance.reports.accounts import BookAccount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from billing.core.periods import Span


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of one kind of posting of one day: either a debit or a credit.

    `number` is the account's number in the operator's books (a setting), `reference`
    what was posted, such as "USED" or "charge".
    """

    day: date
    account: str
    number: str
    debit_cents: int
    credit_cents: int
    reference: str
    drill: str


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What an account holds at an instant; debit is positive."""

    account: str
    number: str
    cents: int


def lines(period: Span) -> Iterator[JournalLine]:
    """Yield a period's lines by day; those of a day and reference balance."""
    sums: dict[tuple[date, str, BookAccount], int] = defaultdict(int)
    drills: dict[tuple[date, str, BookAccount], str] = {}
    for one in postings.by_day(period):
        if one.day:
            key = (one.day, one.reference, one.account)
            sums[key] += one.cents
            drills[key] = one.drill
    for key in sorted(sums):
        day, reference, account = key
        if cents := sums[key]:
            yield JournalLine(
                day=day,
                account=account.value,
                number=account.number,
                debit_cents=max(0, cents),
                credit_cents=max(0, -cents),
                reference=reference,
                drill=drills[key],
            )


def balances(*, at: datetime) -> list[AccountBalance]:
    """Return every account's balance at an instant; they add up to nothing."""
    sums = dict.fromkeys(BookAccount, 0)
    for one in postings.until(at):
        sums[one.account] += one.cents
    return [
        AccountBalance(account=account.value, number=account.number, cents=cents)
        for account, cents in sums.items()
    ]
