"""What the endpoints of holds take and give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from credits.api.schemas import (
    AccountId,
    Answer,
    LineOut,
    Lines,
    Member,
    Reference,
    Request,
    Unit,
    Whole,
)
from credits.ledger import LONGEST_LIFE, TIME_TO_LIVE
from credits.models import HoldState

if TYPE_CHECKING:
    from pydantic.config import JsonDict

_DEFAULT_S = int(TIME_TO_LIVE.total_seconds())

Lifetime = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=int(LONGEST_LIFE.total_seconds()),
        description="Seconds until the hold times out, unless it is extended.",
    ),
    Whole,
]
HoldId = Annotated[
    str,
    Field(
        max_length=64,
        description="The hold's id.",
        examples=["hld_7k3m0q2w9x4t6y8z1b5c"],
    ),
]


class Cause(StrEnum):
    """Why a job is not charged: the customer gave it up, or it failed (R70, R75)."""

    CANCELED = "canceled"
    FAILED = "failed"


# Null is as good as absent.
_QUOTE_OR_LINES: JsonDict = {
    "oneOf": [
        {
            "required": ["quote"],
            "properties": {"quote": {"type": "string"}, "lines": {"type": "null"}},
        },
        {
            "required": ["lines"],
            "properties": {"lines": {"type": "array"}, "quote": {"type": "null"}},
        },
    ]
}


class HoldIn(Request):
    """A job that starts, priced before or now: either `quote` or `lines`."""

    model_config = ConfigDict(json_schema_extra=_QUOTE_OR_LINES)

    account: AccountId
    unit: Unit = Unit.CREDITS
    quote: str | None = Field(
        None,
        max_length=20_000,
        pattern=r"^[0-9A-Za-z:._-]+$",
        description="The `quote` of an answer to POST /quotes.",
    )
    lines: Lines | None = None
    member: Member = None
    reference: Reference = ""
    expires_in_s: Lifetime = _DEFAULT_S

    @model_validator(mode="after")
    def _be_priced_one_way(self) -> Self:
        if (self.quote is None) == (self.lines is None):
            raise PydanticCustomError("quote_or_lines", "Send either quote or lines.")
        return self


class ExtendIn(Request):
    """A job that takes longer."""

    expires_in_s: Lifetime = _DEFAULT_S


class CaptureIn(Request):
    """What a job used, or so far."""

    lines: Lines
    final: bool = Field(
        default=True,
        strict=True,
        description="false: more of this job follows, and the rest stays on hold.",
    )


class ReleaseIn(Request):
    """Why a job is not charged."""

    cause: Cause = Field(
        description="What comes back after its expiry has ended when the customer"
        " canceled, and lives 72 hours more when the job failed."
    )


class PlacedOut(Answer):
    """Credits that are on hold for a job. A replay tells how they are now."""

    account: str
    unit: Unit
    hold: str
    credits: int = Field(description="The most that the job can cost.")
    rate_version: int = Field(description="The job is charged at it.")
    expires_at: datetime
    available: int = Field(description="What other jobs can use now.")


class ExtendedOut(Answer):
    """How long a hold now lives: seven days from its start at most."""

    hold: str
    expires_at: datetime


class CapturedOut(Answer):
    """What a job was charged; a replay is told word for word."""

    account: str
    unit: Unit
    hold: str
    state: HoldState = Field(
        description="OPEN: more may follow. CAPTURED: settled. EXPIRED: the hold had"
        " timed out, and the job was charged anew."
    )
    seq: int = Field(description="The number of the entry on the statement.")
    credits: int
    absorbed: int = Field(description="What it cost above the hold, not charged.")
    on_hold: int = Field(description="What the hold still reserves.")
    balance_after: int
    rate_version: int
    lines: list[LineOut]
    occurred_at: datetime


class ReleasedOut(Answer):
    """A job that is not charged; a replay is told word for word."""

    account: str
    unit: Unit
    hold: str
    credits: int = Field(description="What is no longer on hold.")


class HoldOut(Answer):
    """A hold as it is now."""

    account: str
    unit: Unit
    hold: str
    state: HoldState
    credits: int
    captured: int
    on_hold: int
    rate_version: int
    member: str | None
    reference: str
    placed_at: datetime
    expires_at: datetime
    closed_at: datetime | None
