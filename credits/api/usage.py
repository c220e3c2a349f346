"""The endpoint that adds up what was used: the figures of the usage page (R110)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from ninja import Query, Router
from pydantic import Field

from accounts.models import Scope
from config.clock import now
from credits import usage
from credits.api import problems
from credits.api.access import ApiRequest, ServiceKeyAuth, addressed
from credits.api.schemas import AccountId, Answer, InUnit, ProblemOut, Unit
from credits.core.spans import span_of_days

if TYPE_CHECKING:
    from credits.usage import UsageRow

MAX_DAYS = 400

router = Router()

# Within what calendars and databases can count, and with room to either side.
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)

FirstDay = Annotated[
    date, Query(alias="from", ge=_EARLIEST, le=_LATEST, examples=["2026-03-01"])
]
DayAfter = Annotated[
    date,
    Query(
        alias="to",
        ge=_EARLIEST,
        le=_LATEST,
        description=f"The day after the last one; {MAX_DAYS} days at most.",
        examples=["2026-04-01"],
    ),
]


class Group(StrEnum):
    """What usage is added up by."""

    DAY = "day"
    FEATURE = "feature"
    MEMBER = "member"


class UsedOut(Answer):
    """Credits used on one day, for one feature or by one member."""

    name: str = Field(
        description="A date, a feature or an e-mail address; empty: no member named."
        " `absorbed` stands for costs above holds and `given-back` for corrections:"
        " both lower the total."
    )
    credits: int


class UsageOut(Answer):
    """Usage of a span of days: by time, or the most used first."""

    account: str
    unit: Unit
    first_day: date = Field(serialization_alias="from")
    day_after: date = Field(serialization_alias="to")
    group: Group
    credits: int = Field(description="The total. It equals the statement.")
    rows: list[UsedOut]


@router.get(
    "/accounts/{account}/usage",
    auth=ServiceKeyAuth(Scope.CREDITS_READ),
    response={200: UsageOut, (401, 403, 404, 422, 429, 500, 503): ProblemOut},
    by_alias=True,
    operation_id="usage",
    summary="Add up usage",
    tags=["Credits"],
)
def used(
    request: ApiRequest,
    account: AccountId,
    first_day: FirstDay,
    day_after: DayAfter,
    *,
    group: Group = Group.FEATURE,
    unit: InUnit = Unit.CREDITS,
) -> UsageOut:
    """Return the credits used in a span of UTC days, by day, feature or member.

    Holds are not counted until they are charged. Scope: `credits:read`.
    """
    wallet = addressed(request.auth, account, unit=unit, at=now()).wallet
    _require_span(first_day, day_after)
    span = span_of_days(first_day, day_after - timedelta(days=1), UTC)
    rows = usage.rows_of(wallet.pk, span=span, zone=UTC)
    return UsageOut(
        account=account,
        unit=unit,
        first_day=first_day,
        day_after=day_after,
        group=group,
        credits=sum(row.credits for row in rows),
        rows=_added_up(rows, group),
    )


def _require_span(first_day: date, day_after: date) -> None:
    days = (day_after - first_day).days
    if not 1 <= days <= MAX_DAYS:
        detail = f"The span must have 1 to {MAX_DAYS} days."
        raise problems.invalid([{"detail": detail, "query": "to"}])


def _added_up(rows: tuple[UsageRow, ...], group: Group) -> list[UsedOut]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[_name(row, group)] += row.credits
    if group is Group.DAY:
        ordered = sorted(totals.items())
    else:
        ordered = sorted(totals.items(), key=lambda total: (-total[1], total[0]))
    return [UsedOut(name=name, credits=credits) for name, credits in ordered]


def _name(row: UsageRow, group: Group) -> str:
    match group:
        case Group.DAY:
            return row.date.isoformat()
        case Group.FEATURE:
            return row.feature
        case Group.MEMBER:
            return row.member
