"""The endpoint that counts the free videos of accounts on Free (R106)."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Router, Status

from accounts.models import Scope
from config.clock import now
from credits import ledger
from credits.api.access import ApiRequest, ServiceKeyAuth, target_of
from credits.api.schemas import FreeVideoIn, FreeVideoOut, ProblemOut
from credits.api.writing import (
    REFUSALS,
    IdempotencyKey,
    actor_of,
    ledger_key,
    mark_replay,
)

router = Router(tags=["Free videos"])


@router.post(
    "/free-videos",
    auth=ServiceKeyAuth(Scope.CREDITS_SPEND),
    response={(200, 201): FreeVideoOut, REFUSALS: ProblemOut},
    operation_id="claim_free_video",
    summary="Count a free video",
)
def claim(
    request: ApiRequest,
    response: HttpResponse,
    video: FreeVideoIn,
    idempotency_key: IdempotencyKey,
) -> Status[FreeVideoOut]:
    """Count a video of an account on Free before it is made: 201, or 200 for a replay.

    402 `free-videos-used-up` says when the counter starts again. Scope:
    `credits:spend`.
    """
    at = now()
    claimed = ledger.claim_free_video(
        wallet_id=target_of(request, video.account, at=at).wallet.pk,
        milliseconds=video.milliseconds,
        reference=video.reference,
        idempotency_key=ledger_key(idempotency_key),
        actor=actor_of(request.auth),
        at=at,
    )
    if claimed.is_replay:
        mark_replay(response)
    return Status(
        200 if claimed.is_replay else 201,
        FreeVideoOut(
            account=video.account,
            number=claimed.number,
            quota=claimed.quota,
            milliseconds=video.milliseconds,
            reference=video.reference,
            claimed_at=claimed.claimed_at,
            starts_again_at=claimed.starts_again_at,
        ),
    )
