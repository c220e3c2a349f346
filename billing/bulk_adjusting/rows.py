"""What each row of a file says, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.models import SHORTEST_COMMENT, ReasonCode

if TYPE_CHECKING:
    from accounts.models import Account
    from billing.bulk_adjusting.reading import RawRow

MOST_CREDITS = 1_000_000
_LONGEST = {"comment": 500, "ticket": 120, "customer_note": 300}
_NUMBER_MARKS = str.maketrans("", "", " \u00a0_")


@dataclass(slots=True)
class Row:
    """One row: credits that are added, or removed if negative; or why it cannot be."""

    number: int
    account: str
    credits: int = 0
    expires_at: str | None = None
    reason: str = ""
    comment: str = ""
    ticket: str = ""
    customer_note: str = ""
    account_id: int | None = None
    public_id: str = ""
    name: str = ""
    before: int | None = None
    after: int | None = None
    reverses_id: int | None = None
    errors: list[str] = field(default_factory=list)

    def belongs_to(self, account: Account) -> None:
        """Note whose credits it is about."""
        self.account_id, self.public_id = account.pk, account.public_id
        self.name = account.name


def parse(raw: RawRow, *, at: datetime) -> Row:
    """Return what a row says, with all that is wrong with it by itself."""
    cells = raw.cells
    row = Row(number=raw.number, account=cells["account"][:254])
    if not row.account:
        row.errors.append(_("The account is missing."))
    _read_credits(row, cells["credits"])
    _read_last_day(row, cells.get("last_day", ""), at)
    row.reason = cells["reason"].upper()
    if row.reason not in ReasonCode.values:
        known = ", ".join(ReasonCode.values)
        row.errors.append(_("The reason must be one of %(known)s.") % {"known": known})
    _read_words(row, cells)
    return row


def _read_credits(row: Row, text: str) -> None:
    # A sheet's numbers may arrive as 200.0.
    said = text.translate(_NUMBER_MARKS).removesuffix(".0")
    try:
        row.credits = int(said)
    except ValueError:
        row.errors.append(_("“%(text)s” is no whole number.") % {"text": text[:40]})
        return
    if row.credits == 0:
        row.errors.append(_("0 credits change nothing: leave the row out."))
    if abs(row.credits) > MOST_CREDITS:
        row.errors.append(_("One row can move 1,000,000 credits at the most."))


def _read_last_day(row: Row, text: str, at: datetime) -> None:
    """Credits can be used to the end of their last day, in UTC."""
    if row.credits < 0 and text:
        row.errors.append(
            _("Credits that are removed have no last day: leave it empty.")
        )
    if row.credits <= 0:
        return
    try:
        day = date.fromisoformat(text)
    except ValueError:
        row.errors.append(_("The last day must be written as 2027-12-31."))
        return
    if day < at.astimezone(UTC).date() or day.year > at.year + 10:
        row.errors.append(_("The last day has to be in the next ten years."))
        return
    ends = datetime.combine(day + timedelta(days=1), time(), UTC)
    row.expires_at = ends.isoformat()


def _read_words(row: Row, cells: dict[str, str]) -> None:
    row.comment, row.ticket = cells["comment"], cells.get("ticket", "")
    row.customer_note = cells.get("customer_note", "")
    if len(row.comment) < SHORTEST_COMMENT:
        message = _("The comment needs at least %(least)s characters.")
        row.errors.append(message % {"least": SHORTEST_COMMENT})
    for name, longest in _LONGEST.items():
        if len(getattr(row, name)) > longest:
            message = _("%(column)s is longer than %(longest)s characters.")
            row.errors.append(message % {"column": name, "longest": longest})
            setattr(row, name, getattr(row, name)[:longest])
