"""From a job to the command that charges it, and back to what the caller is told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from credits import ledger, statements
from credits.api import problems
from credits.api.pricing import lines_out, priced, unpriced
from credits.api.schemas import DebitOut, LineOut, Unit
from credits.api.writing import OUTDATED, first_entry
from credits.core.amounts import require_credits
from credits.models import LedgerEntry
from credits.quoting import NoRateCard, rate_table, rates_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from credits.api.access import Addressed
    from credits.api.schemas import DebitIn
    from credits.api.writing import Members
    from credits.ledger import Spend, Spent
    from credits.quoting import RateTable


def command_for(
    job: DebitIn,
    target: Addressed,
    members: Members,
    *,
    key: str,
    actor: str,
    at: datetime,
) -> Spend | LedgerEntry:
    """Return the command that charges a job, or what it did before it was outdated.

    Raises:
        Problem: a feature has no rate, or none had when the job ran, or nobody of
            the account is that member.
        NoRateCard: no card of the account's rate plan has started.
        AmountOutOfBounds: it costs more than the ledger can count.
        IdempotencyConflict: it is refused, and its key was used for something else.
    """
    spend = partial(
        ledger.Spend,
        wallet_id=target.wallet.pk,
        idempotency_key=key,
        actor=actor,
        reference=job.reference,
        ran_at=job.ran_at,
    )
    try:
        quote = priced(job.lines, _rates(job, target, at=at))
        member = members.find(target.wallet.account_id, job.member)
    except OUTDATED:
        asked = unpriced(job.lines)
        first = first_entry(
            wallet_id=target.wallet.pk,
            key=key,
            member=job.member,
            fingerprint=lambda who: spend(lines=asked, member_id=who).fingerprint,
        )
        if first is None:
            raise
        return first
    require_credits(quote.credits)
    return spend(
        lines=quote.lines,
        member_id=member.pk if member else None,
        member=member.email if member else "",
    )


def charged(job: DebitIn, command: Spend, spent: Spent, target: Addressed) -> DebitOut:
    """Return what a command did that took effect just now."""
    version = command.lines[0].rate_version
    return DebitOut(
        account=job.account,
        unit=job.unit,
        seq=spent.seq,
        credits=spent.credits,
        balance_after=spent.balance_after,
        rate_version=version,
        lines=lines_out(command.lines, rate_table(target.wallet.rate_plan, version)),
        member=command.member or None,
        reference=command.reference,
        occurred_at=spent.occurred_at,
    )


def recorded(entry_ids: Sequence[int]) -> dict[int, DebitOut]:
    """Return what entries did, at the rates of then: two queries or none."""
    if not entry_ids:
        return {}
    entries = LedgerEntry.objects.select_related("wallet__account")
    lines = statements.lines_of(entry_ids)
    return {
        entry.pk: DebitOut(
            account=entry.wallet.account.public_id,
            unit=Unit[entry.wallet.unit],
            seq=entry.seq,
            credits=-entry.credits,
            balance_after=entry.balance_after,
            rate_version=lines[entry.pk][0].rate_version,
            lines=[LineOut.model_validate(line) for line in lines[entry.pk]],
            member=entry.member or None,
            reference=entry.reference,
            occurred_at=entry.occurred_at,
        )
        for entry in entries.filter(pk__in=entry_ids)
    }


def _rates(job: DebitIn, target: Addressed, *, at: datetime) -> RateTable:
    # R20: the rates of the run. A clock that is ahead of ours means now.
    if job.ran_at is None or job.ran_at >= at:
        return target.rates
    try:
        return rates_in_force(rate_plan=target.wallet.rate_plan, at=job.ran_at)
    except NoRateCard as missing:
        raise problems.invalid(
            [{"detail": "No rates were in force then.", "pointer": "#/ran_at"}]
        ) from missing
