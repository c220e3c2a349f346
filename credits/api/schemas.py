"""What the API takes and gives. Unknown members of a request are refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from ninja import Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
)
from pydantic_core import PydanticCustomError

from credits.api.writing import KEY_PATTERN, MAX_KEY
from credits.core.amounts import MAX_QUANTITY
from credits.ledger import MAX_BATCH
from credits.models import EntryKind, GrantSource, RateUnit, WalletUnit

MAX_LINES = 100

# PostgreSQL keeps no NUL, and no control character belongs in a name.
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


def _whole(sent: object) -> object:
    # JSON has one kind of numbers: 3.0 is 3 there. A string or `true` is neither.
    return int(sent) if isinstance(sent, float) and sent.is_integer() else sent


Whole = BeforeValidator(_whole)


def _in_words(sent: object) -> object:
    # Numbers, also as text, would be taken for seconds.
    if not isinstance(sent, str) or "T" not in sent.upper():
        raise PydanticCustomError(
            "instant", "Input should be like 2026-03-10T12:00:00Z"
        )
    return sent


Instant = Annotated[AwareDatetime, BeforeValidator(_in_words)]
AccountId = Annotated[
    str,
    Field(
        max_length=64,
        description="The account's public id.",
        examples=["acc_7k3m0q2w9x4t6y8z1b5c"],
    ),
]
FeatureCode = Annotated[
    str, Field(pattern=r"^[a-z0-9-]+$", max_length=40, examples=["avatar-iv"])
]
Quantity = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MAX_QUANTITY,
        description="Milliseconds or pieces: the unit of the feature's rate.",
        examples=[72_000],
    ),
    Whole,
]


class Unit(StrEnum):
    """What is counted: credits, or the premium credits of legacy plans (R34)."""

    CREDITS = "credits"
    PREMIUM = "premium"

    @property
    def of_wallet(self) -> WalletUnit:
        """Return the unit as wallets have it."""
        return WalletUnit[self.name]


InUnit = Annotated[
    Unit, Query(description="`premium`: the account's premium credits instead.")
]


class Request(BaseModel):
    """A body in which every member means something."""

    model_config = ConfigDict(extra="forbid")


class LineIn(Request):
    """So much of one feature."""

    feature: FeatureCode
    quantity: Quantity


Lines = Annotated[list[LineIn], Field(min_length=1, max_length=MAX_LINES)]
Member = Annotated[
    str | None,
    Field(
        max_length=254,
        pattern=_PRINTABLE,
        description="The e-mail address of the member who ran the job.",
    ),
]
Reference = Annotated[
    str,
    Field(
        max_length=120,
        pattern=_PRINTABLE,
        description="Your id of the job. It appears on the statement.",
    ),
]


class QuoteIn(Request):
    """A job to be priced."""

    account: AccountId
    unit: Unit = Unit.CREDITS
    lines: Lines


class DebitIn(QuoteIn):
    """A job to be charged."""

    member: Member = None
    reference: Reference = ""
    ran_at: Instant | None = Field(
        None,
        description="When the job ran, if it is reported late: it is charged now, at"
        " the rates of then.",
    )


class BatchItemIn(DebitIn):
    """A job to be charged among others, under a key of its own."""

    key: str = Field(
        min_length=1,
        max_length=MAX_KEY,
        pattern=KEY_PATTERN,
        description="The idempotency key of this item.",
    )


class BatchIn(Request):
    """Jobs to be charged. Each is read on its own, so that one harms no other."""

    items: list[SkipValidation[BatchItemIn]] = Field(min_length=1, max_length=MAX_BATCH)


class Answer(BaseModel):
    """What the API gives; read off objects with attributes of the same names."""

    # Not ninja's own base: it looks at each member in Python, for lookups by dots.
    model_config = ConfigDict(from_attributes=True)


class ProblemOut(BaseModel):
    """An error (RFC 9457). Kinds add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/api/v1/problems/insufficient-credits"])
    title: str
    status: int
    detail: str


class RateOut(Answer):
    """A feature's rate: `credits` for every `per` units."""

    feature: str
    label: str
    unit: RateUnit
    credits: int = Field(description="0: included.")
    per: int
    shown: str = Field(examples=["20 credits per minute"])
    note: str


class RatesOut(Answer):
    """The rate card in force."""

    rate_plan: str
    version: int
    starts_at: datetime
    rates: list[RateOut]


class LineOut(Answer):
    """The whole quantity of one feature in a job, and its cost."""

    feature: str
    quantity: int
    unit: RateUnit
    credits: int


class QuoteOut(Answer):
    """What a job costs now. Nothing is reserved."""

    quote: str = Field(
        description="Send it with a hold, which then reserves exactly these credits."
    )
    expires_at: datetime = Field(description="The quote is valid until then.")
    account: str
    unit: Unit
    credits: int
    rate_version: int
    lines: list[LineOut]
    is_covered: bool = Field(description="Whether a debit would succeed now.")
    way_forward: str = Field(description="What to do when it would not; else empty.")


class DebitOut(Answer):
    """A job that was charged; a replay is told word for word."""

    account: str
    unit: Unit
    seq: int = Field(description="The number of the entry on the statement.")
    credits: int
    balance_after: int
    rate_version: int
    lines: list[LineOut]
    member: str | None
    reference: str
    occurred_at: datetime


class BatchedDebitOut(DebitOut):
    """A job of a batch that was charged: 201, or 200 for a replay."""

    status: int


class BatchOut(Answer):
    """An answer for each item, in the order of the items."""

    results: list[BatchedDebitOut | ProblemOut]


class GrantOut(Answer):
    """Credits that came together, and what is left of them."""

    id: int
    source: GrantSource
    label: str
    granted: int
    remaining: int
    on_hold: int
    is_frozen: bool
    effective_at: datetime
    expires_at: datetime | None


class FreeVideosOut(Answer):
    """The free videos of this calendar month (UTC)."""

    used: int
    quota: int
    longest_ms: int = Field(description="How long one may be, in milliseconds.")
    starts_again_at: datetime


class FreeVideoIn(Request):
    """A free video to be made."""

    account: AccountId
    milliseconds: Annotated[
        int,
        Field(strict=True, ge=1, le=2**31 - 1, examples=[45_000]),
        Whole,
    ]
    reference: Reference = ""


class FreeVideoOut(Answer):
    """A free video that was counted; a replay is told word for word."""

    account: str
    number: int = Field(description="1 is the first of its month.")
    quota: int = Field(description="How many there are in that month.")
    milliseconds: int
    reference: str
    claimed_at: datetime
    starts_again_at: datetime = Field(description="When the counter starts again.")


class BalanceOut(Answer):
    """available = posted - on_hold - frozen. Grants are in the order of their use."""

    account: str
    unit: Unit
    posted: int
    on_hold: int
    frozen: int
    available: int
    debt: int
    next_expiry_at: datetime | None
    next_expiry_credits: int
    grants: list[GrantOut]
    free_videos: FreeVideosOut | None = Field(
        description="null: the account is not on Free, or this is premium."
    )


class DrawOut(Answer):
    """How far an entry changed one grant."""

    grant: int
    label: str
    credits: int
    remaining_after: int
    expires_at: datetime | None


class EntryOut(Answer):
    """One movement of the balance."""

    seq: int
    kind: EntryKind
    credits: int = Field(description="Signed.")
    balance_after: int
    description: str
    who: str
    reference: str
    reason: str
    occurred_at: datetime
    lines: list[LineOut]
    draws: list[DrawOut]


class StatementOut(Answer):
    """Movements, newest first."""

    account: str
    unit: Unit
    entries: list[EntryOut]
    next_before: int | None = Field(
        description="Send it as `before` for older entries; null when there are none."
    )
