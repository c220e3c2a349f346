"""From a job to its hold, and from the ledger to what callers are told of holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum

from credits import ledger, quote_tokens, statements
from credits.api import problems
from credits.api.holding_schemas import CapturedOut, HoldOut, PlacedOut
from credits.api.pricing import priced, unpriced
from credits.api.problems import Problem
from credits.api.schemas import LineOut, Unit
from credits.api.writing import Members, first_entry
from credits.models import ABSORBED, EntryKind, Hold, HoldState, LedgerEntry
from credits.quoting import rate_table

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from credits.api.access import Addressed
    from credits.api.holding_schemas import HoldIn
    from credits.ledger import UsedLine
    from credits.quote_tokens import GivenQuote
    from credits.quoting import Quote, RateTable


class AskedHold:
    """A job to put credits on hold for: priced by a quote from before, or now."""

    def __init__(self, job: HoldIn, target: Addressed) -> None:
        """Read the quote, if there is one.

        Raises:
            Problem: no quote for this account and unit looks like that.
        """
        self._job = job
        self._given = _given(job)
        self._target = target

    def price(self, *, at: datetime) -> Quote:
        """Return what is to be reserved.

        Raises:
            Problem: the quote has expired, or a feature has no rate.
            NoRateCard: no card of the account's rate plan has started.
        """
        if self._given is None:
            return priced(self._job.lines or [], self._target.rates)
        if self._given.expires_at <= at:
            raise Problem(
                problems.QUOTE_EXPIRED,
                "Quotes are valid for 15 minutes. Ask for a new one.",
                expired_at=self._given.expires_at,
            )
        return self._given.quote

    def member(self) -> User | None:
        """Return whose job it is, if anybody's.

        Raises:
            Problem: nobody of the account has this e-mail address.
        """
        account_id, email = self._target.wallet.account_id, self._job.member
        return Members([(account_id, email)]).find(account_id, email)

    def placed_before(self, key: str) -> int | None:
        """Return the hold that this request placed before it was outdated, if it did.

        Raises:
            IdempotencyConflict: the key was used for something else.
        """
        first = first_entry(
            wallet_id=self._target.wallet.pk,
            key=key,
            member=self._job.member,
            fingerprint=lambda member_id: ledger.hold_fingerprint(
                self._lines, self._job.reference, member_id
            ),
        )
        return first.hold_id if first else None

    @property
    def _lines(self) -> tuple[UsedLine, ...]:
        lines = self._job.lines or []
        return self._given.quote.lines if self._given else unpriced(lines)


def rates_of(hold: Hold) -> RateTable:
    """Return the rates that a hold's job is charged at, whatever is in force (R96)."""
    return rate_table(hold.rate_plan, hold.rate_version)


def placed(hold_id: int, *, at: datetime) -> PlacedOut:
    """Return a hold as the request for it is answered."""
    hold = Hold.objects.select_related("wallet__account").get(pk=hold_id)
    return PlacedOut(
        account=hold.wallet.account.public_id,
        unit=Unit[hold.wallet.unit],
        hold=hold.public_id,
        credits=hold.credits,
        rate_version=hold.rate_version,
        expires_at=hold.expires_at,
        available=statements.up_to_date(hold.wallet, at=at).available,
    )


def captured(hold: Hold, entry_id: int) -> CapturedOut:
    """Return what an entry charged for the job of a hold, as things were then."""
    entry = LedgerEntry.objects.get(pk=entry_id)
    lines = statements.lines_of([entry_id])[entry_id]
    on_hold = _on_hold_after(hold, entry)
    is_anew = entry.kind == EntryKind.SPEND
    is_open = on_hold > 0 and not is_anew
    settled = HoldState.EXPIRED if is_anew else HoldState.CAPTURED
    return CapturedOut(
        account=hold.wallet.account.public_id,
        unit=Unit[hold.wallet.unit],
        hold=hold.public_id,
        state=HoldState.OPEN if is_open else settled,
        seq=entry.seq,
        credits=-entry.credits,
        absorbed=-sum(line.credits for line in lines if line.feature == ABSORBED),
        on_hold=on_hold,
        balance_after=entry.balance_after,
        rate_version=hold.rate_version,
        lines=[
            LineOut.model_validate(line) for line in lines if line.feature != ABSORBED
        ],
        occurred_at=entry.occurred_at,
    )


def hold_out(hold: Hold) -> HoldOut:
    """Return a hold as it is now."""
    is_open = hold.state == HoldState.OPEN
    return HoldOut(
        account=hold.wallet.account.public_id,
        unit=Unit[hold.wallet.unit],
        hold=hold.public_id,
        state=HoldState(hold.state),
        credits=hold.credits,
        captured=hold.captured,
        on_hold=hold.credits - hold.captured if is_open else 0,
        rate_version=hold.rate_version,
        member=hold.member or None,
        reference=hold.reference,
        placed_at=hold.placed_at,
        expires_at=hold.expires_at,
        closed_at=hold.closed_at,
    )


def _given(job: HoldIn) -> GivenQuote | None:
    if job.quote is None:
        return None
    try:
        return quote_tokens.read(
            job.quote, account_id=job.account, unit=job.unit.of_wallet
        )
    except quote_tokens.QuoteNotFound as missing:
        raise Problem(problems.NOT_FOUND, "There is no such quote.") from missing


def _on_hold_after(hold: Hold, entry: LedgerEntry) -> int:
    entries = LedgerEntry.objects.filter(hold=hold, seq__lte=entry.seq)
    return int(entries.aggregate(held=Sum("held"))["held"])
