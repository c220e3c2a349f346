"""The endpoint that takes credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.db.models.functions import Lower
from django.http import HttpResponse
from ninja import Header, Router, Status

from accounts.models import Membership, Scope, User
from config.clock import now
from credits import ledger, statements
from credits.api import problems
from credits.api.access import ApiRequest, ServiceKeyAuth, addressed
from credits.api.pricing import lines_out, priced
from credits.api.schemas import DebitIn, DebitOut, LineOut, ProblemOut

if TYPE_CHECKING:
    from accounts.models import ServiceKey
    from credits.ledger import Spend, Spent
    from credits.models import Wallet

router = Router()
_REFUSALS = (400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 500, 503)

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=r"^[ -~]+$",
        description="Names this debit for good; reuse it to repeat the request.",
    ),
]


@router.post(
    "/debits",
    auth=ServiceKeyAuth(Scope.CREDITS_SPEND),
    response={(200, 201): DebitOut, _REFUSALS: ProblemOut},
    operation_id="debit",
    summary="Charge a job",
    tags=["Credits"],
)
def debit(
    request: ApiRequest,
    response: HttpResponse,
    job: DebitIn,
    idempotency_key: IdempotencyKey,
) -> Status[DebitOut]:
    """Take the credits of a job, all or nothing: 201, or 200 for a replay.

    Scope: `credits:spend`.
    """
    at = now()
    target = addressed(request.auth, job.account, at=at)
    quote = priced(job.lines, target.rates)
    member = _member(job.member, target.wallet)
    command = ledger.Spend(
        wallet_id=target.wallet.pk,
        lines=quote.lines,
        idempotency_key=_ledger_key(idempotency_key),
        actor=_actor(request.auth),
        reference=job.reference,
        member_id=member.pk if member else None,
        member=member.email if member else "",
    )
    spent = ledger.spend(command, at=at)
    if spent.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
        return Status(200, _replayed(job.account, command, spent))
    lines = lines_out(quote, target.rates)
    return Status(
        201, _debit_out(job.account, command, spent, lines, quote.rate_version)
    )


def _ledger_key(idempotency_key: str) -> str:
    # The ledger has keys of its own in the same wallet, such as “expire:7”: a caller
    # who sent that one would stop the expiry of grant 7 for good.
    return f"api:{idempotency_key}"


def _actor(key: ServiceKey) -> str:
    return f"{key.name} ({key.public_id})"


def _member(email: str | None, wallet: Wallet) -> User | None:
    if email is None:
        return None
    memberships = Membership.objects.alias(email=Lower("user__email")).filter(
        account_id=wallet.account_id, email=email.lower()
    )
    membership = memberships.select_related("user").first()
    if membership is None:
        detail = "No member of this account has this e-mail address."
        raise problems.invalid([{"detail": detail, "pointer": "#/member"}])
    return membership.user


def _replayed(account: str, command: Spend, spent: Spent) -> DebitOut:
    # At the rates of then: a new rate card may be in force by now.
    lines = statements.lines_of(spent.entry_id)
    return _debit_out(
        account,
        command,
        spent,
        [LineOut.from_orm(line) for line in lines],
        lines[0].rate_version,
    )


def _debit_out(
    account: str,
    command: Spend,
    spent: Spent,
    lines: list[LineOut],
    rate_version: int,
) -> DebitOut:
    return DebitOut(
        account=account,
        seq=spent.seq,
        credits=spent.credits,
        balance_after=spent.balance_after,
        rate_version=rate_version,
        lines=lines,
        member=command.member or None,
        reference=command.reference,
        occurred_at=spent.occurred_at,
    )
