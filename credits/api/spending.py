"""The endpoints that take credits at once: for one job, or for many."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from ninja import Router, Status
from ninja.responses import NinjaJSONEncoder

from accounts.models import Scope
from config.clock import now
from credits import ledger
from credits.api.access import ApiRequest, ServiceKeyAuth, target_of
from credits.api.batching import Batch
from credits.api.debits import charged, command_for, recorded
from credits.api.schemas import BatchIn, BatchOut, DebitIn, DebitOut, ProblemOut
from credits.api.shortages import tell_falls, told
from credits.api.writing import (
    REFUSALS,
    SENT,
    IdempotencyKey,
    Members,
    actor_of,
    ledger_key,
    mark_replay,
)
from credits.models import LedgerEntry

router = Router()


@router.post(
    "/debits",
    auth=ServiceKeyAuth(Scope.CREDITS_SPEND),
    response={(200, 201): DebitOut, REFUSALS: ProblemOut},
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
    target = target_of(request, job.account, unit=job.unit, at=at)
    members = Members([(target.wallet.account_id, job.member)])
    command = command_for(
        *(job, target, members),
        key=ledger_key(idempotency_key),
        actor=actor_of(request.auth),
        at=at,
    )
    if isinstance(command, LedgerEntry):
        return _replayed(response, command.pk)
    with told(target.wallet):
        spent = ledger.spend(command, at=at)
    if spent.is_replay:
        return _replayed(response, spent.entry_id)
    tell_falls({target.wallet: spent.available})
    return Status(201, charged(job, command, spent, target))


@router.post(
    "/debits/batch",
    auth=ServiceKeyAuth(Scope.CREDITS_SPEND),
    response={200: BatchOut, SENT: ProblemOut},
    operation_id="debit_batch",
    summary="Charge many jobs",
    tags=["Credits"],
)
def debit_batch(request: ApiRequest, batch: BatchIn) -> HttpResponse:
    """Charge up to 200 jobs of any accounts, each all or nothing.

    Each item has a key of its own and gets the answer that a single debit would get,
    with its status; a refused item harms no other. Items of one account take effect
    in their order. Scope: `credits:spend`.
    """
    results = Batch(batch.items, key=request.auth).charge(at=now())
    # Not through the schema: it would drop the members that problems add to it.
    return JsonResponse({"results": results}, encoder=NinjaJSONEncoder)


def _replayed(response: HttpResponse, entry_id: int) -> Status[DebitOut]:
    mark_replay(response)
    return Status(200, recorded([entry_id])[entry_id])
