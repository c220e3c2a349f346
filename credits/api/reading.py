"""Endpoints that move nothing: rates, quotes, balance, statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ninja import Query, Router

from accounts.models import Scope
from config.clock import now
from credits import ledger, quote_tokens, quoting, statements
from credits.api.access import ApiRequest, ServiceKeyAuth, addressed
from credits.api.pricing import lines_out, priced
from credits.api.schemas import (
    AccountId,
    BalanceOut,
    DrawOut,
    EntryOut,
    FreeVideosOut,
    GrantOut,
    InUnit,
    LineOut,
    ProblemOut,
    QuoteIn,
    QuoteOut,
    RateOut,
    RatesOut,
    StatementOut,
    Unit,
)

if TYPE_CHECKING:
    from credits.quoting import FeatureRate
    from credits.statements import StatementRow

router = Router()
_READ = (401, 403, 404, 422, 429, 500, 503)
_SENT = (400, *_READ, 413, 415)

Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=statements.MAX_ROWS)]


@router.get(
    "/rates",
    auth=ServiceKeyAuth(Scope.RATES_READ),
    response={200: RatesOut, _READ: ProblemOut},
    operation_id="rates",
    summary="Read the rates",
    tags=["Rates"],
)
def rates(
    request: ApiRequest, account: AccountId | None = None, unit: InUnit = Unit.CREDITS
) -> RatesOut:
    """Return the rate card in force: an account's, or the standard one.

    Scope: `rates:read`.
    """
    at = now()
    table = (
        quoting.rates_in_force(rate_plan=quoting.STANDARD, at=at)
        if account is None
        else addressed(request.auth, account, unit=unit, at=at).rates
    )
    return RatesOut(
        rate_plan=table.rate_plan,
        version=table.version,
        starts_at=table.starts_at,
        rates=[_rate_out(rate) for rate in table.rates],
    )


@router.post(
    "/quotes",
    auth=ServiceKeyAuth(Scope.RATES_READ),
    response={200: QuoteOut, _SENT: ProblemOut},
    operation_id="quote",
    summary="Quote a job",
    tags=["Rates"],
)
def quote(request: ApiRequest, job: QuoteIn) -> QuoteOut:
    """Return exactly what a job costs an account, and whether it can pay now.

    The price is good for 15 minutes: a hold made with `quote` reserves exactly that.
    Nothing is kept or reserved. Scope: `rates:read`.
    """
    at = now()
    target = addressed(request.auth, job.account, unit=job.unit, at=at)
    quoted = priced(job.lines, target.rates)
    wallet = statements.up_to_date(target.wallet, at=at)
    is_covered = not wallet.block_at(at) and quoted.credits <= wallet.available
    return QuoteOut(
        quote=quote_tokens.issue(
            quoted, account_id=job.account, unit=job.unit.of_wallet, at=at
        ),
        expires_at=at + quote_tokens.VALID_FOR,
        account=job.account,
        unit=job.unit,
        credits=quoted.credits,
        rate_version=quoted.rate_version,
        lines=lines_out(quoted.lines, target.rates),
        is_covered=is_covered,
        way_forward="" if is_covered else wallet.way_forward,
    )


@router.get(
    "/accounts/{account}/balance",
    auth=ServiceKeyAuth(Scope.CREDITS_READ),
    response={200: BalanceOut, _READ: ProblemOut},
    operation_id="balance",
    summary="Read the balance",
    tags=["Credits"],
)
def balance(
    request: ApiRequest, account: AccountId, unit: InUnit = Unit.CREDITS
) -> BalanceOut:
    """Return an account's credits, the grants they are made of, and free videos.

    Scope: `credits:read`.
    """
    at = now()
    wallet = addressed(request.auth, account, unit=unit, at=at).wallet
    figures = statements.balance_of(wallet.pk, at=at)
    free_videos = ledger.free_videos(wallet_id=wallet.pk, at=at)
    return BalanceOut(
        account=account,
        unit=unit,
        posted=figures.posted,
        on_hold=figures.held,
        frozen=figures.frozen,
        available=figures.available,
        debt=figures.debt,
        next_expiry_at=figures.next_expiry_at,
        next_expiry_credits=figures.next_expiry_credits,
        grants=[_grant_out(grant) for grant in figures.grants],
        free_videos=FreeVideosOut.model_validate(free_videos) if free_videos else None,
    )


@router.get(
    "/accounts/{account}/statement",
    auth=ServiceKeyAuth(Scope.CREDITS_READ),
    response={200: StatementOut, _READ: ProblemOut},
    operation_id="statement",
    summary="Read the statement",
    tags=["Credits"],
)
def statement(
    request: ApiRequest,
    account: AccountId,
    before: Before = None,
    limit: Limit = 50,
    unit: InUnit = Unit.CREDITS,
) -> StatementOut:
    """Return movements of an account's credits, newest first.

    Scope: `credits:read`.
    """
    at = now()
    wallet = addressed(request.auth, account, unit=unit, at=at).wallet
    page = statements.statement_for(wallet.pk, before_seq=before, limit=limit, at=at)
    return StatementOut(
        account=account,
        unit=unit,
        entries=[_entry_out(row) for row in page.rows],
        next_before=page.next_before_seq,
    )


def _rate_out(rate: FeatureRate) -> RateOut:
    return RateOut(
        feature=rate.feature,
        label=rate.label,
        unit=rate.unit,
        credits=rate.credits,
        per=rate.per,
        shown=rate.shown,
        note=rate.note,
    )


def _grant_out(grant: statements.GrantView) -> GrantOut:
    return GrantOut(
        id=grant.id,
        source=grant.source,
        label=grant.label,
        granted=grant.granted,
        remaining=grant.remaining,
        on_hold=grant.held,
        is_frozen=grant.is_frozen,
        effective_at=grant.effective_at,
        expires_at=grant.expires_at,
    )


def _entry_out(row: StatementRow) -> EntryOut:
    return EntryOut(
        seq=row.seq,
        kind=row.kind,
        credits=row.credits,
        balance_after=row.balance_after,
        description=row.description,
        who=row.who,
        reference=row.reference,
        reason=row.reason,
        occurred_at=row.occurred_at,
        lines=[LineOut.model_validate(line) for line in row.lines],
        draws=[
            DrawOut(
                grant=draw.grant_id,
                label=draw.label,
                credits=draw.credits,
                remaining_after=draw.remaining_after,
                expires_at=draw.expires_at,
            )
            for draw in row.draws
        ],
    )
