"""Endpoints of holds: credits reserved for a job while it runs (R68 to R75)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpResponse
from ninja import Router, Status

from accounts.models import Scope
from config.clock import now
from credits import ledger, settling, statements
from credits.api.access import ApiRequest, ServiceKeyAuth, hold_of, target_of
from credits.api.holding_schemas import (
    CapturedOut,
    CaptureIn,
    Cause,
    ExtendedOut,
    ExtendIn,
    HoldId,
    HoldIn,
    HoldOut,
    PlacedOut,
    ReleasedOut,
    ReleaseIn,
)
from credits.api.holds import AskedHold, captured, hold_out, placed, rates_of
from credits.api.pricing import priced
from credits.api.schemas import ProblemOut, Unit
from credits.api.shortages import tell_falls, told
from credits.api.writing import (
    OUTDATED,
    REFUSALS,
    IdempotencyKey,
    actor_of,
    ledger_key,
    mark_replay,
)
from credits.models import HoldState

_READ = (401, 403, 404, 422, 429, 500, 503)
_UNPAID = tuple(status for status in REFUSALS if status != 402)

# What the id of a hold that was just placed is good for.
_NEXT = {
    "links": {
        name: {"operationId": name, "parameters": {"hold_id": "$response.body#/hold"}}
        for name in ("hold", "extend_hold", "capture_hold", "release_hold")
    }
}

router = Router(tags=["Holds"], auth=ServiceKeyAuth(Scope.CREDITS_HOLD))


@router.post(
    "/holds",
    response={(200, 201): PlacedOut, REFUSALS: ProblemOut},
    operation_id="place_hold",
    summary="Hold credits for a job",
    openapi_extra={"responses": {200: _NEXT, 201: _NEXT}},
)
def place(
    request: ApiRequest,
    response: HttpResponse,
    job: HoldIn,
    idempotency_key: IdempotencyKey,
) -> Status[PlacedOut]:
    """Reserve what a job can cost: 201, or 200 for a replay.

    What is on hold can be neither spent nor expire. The job is charged at the rates
    of now, or of the quote, and never more than is on hold. Scope: `credits:hold`.
    """
    at = now()
    target = target_of(request, job.account, unit=job.unit, at=at)
    asked = AskedHold(job, target)
    key = ledger_key(idempotency_key)
    try:
        quote, member = asked.price(at=at), asked.member()
    except OUTDATED:
        hold_id = asked.placed_before(key)
        if hold_id is None:
            raise
        return _repeated(response, hold_id, at=at)
    with told(target.wallet):
        held = ledger.hold(
            wallet_id=target.wallet.pk,
            credits=quote.credits,
            rate_plan=quote.rate_plan,
            rate_version=quote.rate_version,
            idempotency_key=key,
            actor=actor_of(request.auth),
            reference=job.reference,
            member_id=member.pk if member else None,
            member=member.email if member else "",
            time_to_live=timedelta(seconds=job.expires_in_s),
            job=quote.lines,
            at=at,
        )
    if held.is_replay:
        return _repeated(response, held.hold_id, at=at)
    tell_falls({target.wallet: held.available})
    return Status(201, placed(held.hold_id, at=at))


@router.get(
    "/holds/{hold_id}",
    response={200: HoldOut, _READ: ProblemOut},
    operation_id="hold",
    summary="Read a hold",
)
def read(request: ApiRequest, hold_id: HoldId) -> HoldOut:
    """Return a hold as it is now.

    Scope: `credits:hold`.
    """
    hold = hold_of(request.auth, hold_id)
    if hold.state == HoldState.OPEN:
        statements.up_to_date(hold.wallet, at=now())
        hold.refresh_from_db(fields=["state", "closed_at"])
    return hold_out(hold)


@router.post(
    "/holds/{hold_id}/extend",
    response={200: ExtendedOut, _UNPAID: ProblemOut},
    operation_id="extend_hold",
    summary="Let a hold live longer",
)
def extend(
    request: ApiRequest,
    response: HttpResponse,
    hold_id: HoldId,
    extension: ExtendIn,
    idempotency_key: IdempotencyKey,
) -> ExtendedOut:
    """Let an open hold time out so much later from now, 7 days after its start at most.

    It is never shortened. Scope: `credits:hold`.
    """
    hold = hold_of(request.auth, hold_id)
    extended = ledger.extend_hold(
        hold_id=hold.pk,
        idempotency_key=ledger_key(idempotency_key),
        actor=actor_of(request.auth),
        time_to_live=timedelta(seconds=extension.expires_in_s),
        at=now(),
    )
    if extended.is_replay:
        mark_replay(response)
    return ExtendedOut(hold=hold.public_id, expires_at=extended.expires_at)


@router.post(
    "/holds/{hold_id}/capture",
    response={200: CapturedOut, REFUSALS: ProblemOut},
    operation_id="capture_hold",
    summary="Charge a job that had a hold",
)
def capture(
    request: ApiRequest,
    response: HttpResponse,
    hold_id: HoldId,
    used: CaptureIn,
    idempotency_key: IdempotencyKey,
) -> CapturedOut:
    """Charge what a job used, never more than its hold, and give back the rest.

    With `final: false` the rest stays on hold for further captures. When the hold has
    timed out, the job is charged anew, once: 402 `hold-expired` when there are too few
    credits for it. Scope: `credits:hold`.
    """
    hold = hold_of(request.auth, hold_id)
    settled = settling.charge(
        hold,
        lines=priced(used.lines, rates_of(hold)).lines,
        is_final=used.final,
        idempotency_key=ledger_key(idempotency_key),
        actor=actor_of(request.auth),
        at=now(),
    )
    if settled.is_replay:
        mark_replay(response)
    return captured(hold, settled.entry_id)


@router.post(
    "/holds/{hold_id}/release",
    response={200: ReleasedOut, _UNPAID: ProblemOut},
    operation_id="release_hold",
    summary="Charge nothing for a job",
)
def release(
    request: ApiRequest,
    response: HttpResponse,
    hold_id: HoldId,
    reason: ReleaseIn,
    idempotency_key: IdempotencyKey,
) -> ReleasedOut:
    """Give back all that a hold still reserves.

    Scope: `credits:hold`.
    """
    hold = hold_of(request.auth, hold_id)
    released = ledger.release(
        hold_id=hold.pk,
        is_our_failure=reason.cause == Cause.FAILED,
        idempotency_key=ledger_key(idempotency_key),
        actor=actor_of(request.auth),
        at=now(),
    )
    if released.is_replay:
        mark_replay(response)
    return ReleasedOut(
        account=hold.wallet.account.public_id,
        unit=Unit[hold.wallet.unit],
        hold=hold.public_id,
        credits=released.credits,
    )


def _repeated(
    response: HttpResponse, hold_id: int, *, at: datetime
) -> Status[PlacedOut]:
    mark_replay(response)
    return Status(200, placed(hold_id, at=at))
