"""Which key asks, and which wallet it may ask about."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts import keys
from accounts.models import ServiceKey
from accounts.prepared import columns, fetch, instance
from config.clock import now
from credits import ledger
from credits.api import problems
from credits.api.handlers import unauthenticated
from credits.api.problems import Problem
from credits.api.schemas import Unit
from credits.models import Hold, Wallet
from credits.quoting import NoRateCard, rate_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.models import Scope
    from credits.quoting import RateTable

_ACCOUNT_ID = re.compile(r"acc_[0-9a-z]{1,28}")
_HOLD_ID = re.compile(r"hld_[0-9a-z]{1,28}")


# What a job needs to know of a wallet.
_OF_WALLET = ("id", "account_id", "unit", "rate_plan", "watched_below")
LONGEST_JOB = 65_536  # bytes
# Where a shorter way notes what it met: nobody has to meet it twice.
FAILURE = "purser.failure"


class ApiRequest(HttpRequest):
    """A request whose key was checked."""

    auth: ServiceKey
    target: Addressed | None  # the wallet of the job that it asks for, if it has one


class ServiceKeyAuth(HttpBearer):
    """Opens an endpoint to live keys that have its scope."""

    openapi_description = "A service key: `prsr_…`"

    def __init__(self, scope: Scope) -> None:
        """Remember the scope."""
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ServiceKey:
        """Return the key.

        Raises:
            Problem: no live key has this token, or it lacks the scope.
        """
        at = now()
        key = _authenticated(cast("ApiRequest", request), token, at=at)
        if key is None:
            raise unauthenticated()
        if self.scope not in key.scopes:
            raise Problem(
                problems.MISSING_SCOPE,
                f"This call needs a service key with the scope {self.scope.value}.",
                scope=self.scope.value,
            )
        return key


def _authenticated(
    request: ApiRequest, token: str, *, at: datetime
) -> ServiceKey | None:
    """Return the live key of a request, and note the wallet of its job: one query."""
    request.target = None
    digest = keys.digest_of(token)
    named = _named(request) if digest else None
    if named is None:
        return keys.authenticate(token, at=at)
    account_id, unit = named
    parameters = [at, account_id, unit.of_wallet, digest]
    for row in fetch(query_of_both(), parameters, make_row=tuple):
        *of_wallet, rate_version = row[-len(_OF_WALLET) - 1 :]
        if of_wallet[0] is not None:
            wallet = instance(Wallet, of_wallet, *_OF_WALLET)
            request.target = Addressed(wallet, rate_version, account_id)
        return keys.opened_by(row, at=at)
    return None


def _named(request: HttpRequest) -> tuple[str, Unit] | None:
    """Return the account and unit of a job, as far as its body can be read."""
    if failure := request.META.get(FAILURE):
        raise failure
    if request.method != "POST" or not 0 < length_of(request) <= LONGEST_JOB:
        return None
    try:
        job = json.loads(request.body)
        account_id, unit = job["account"], Unit(job.get("unit", Unit.CREDITS))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None  # its schema will say why
    is_name = isinstance(account_id, str) and _ACCOUNT_ID.fullmatch(account_id)
    return (account_id, unit) if is_name else None


def length_of(request: HttpRequest) -> int:
    """Return how long a body is said to be; 0 if nothing is said."""
    length = request.META.get("CONTENT_LENGTH", "")
    return int(length) if length.isascii() and length.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Addressed:
    """The wallet that a request is about, and the rate card in force for it."""

    wallet: Wallet
    rate_version: int | None
    account_name: str

    @property
    def rates(self) -> RateTable:
        """Return the rates in force.

        Raises:
            NoRateCard: no card of the wallet's rate plan has started.
        """
        if self.rate_version is None:
            raise NoRateCard(self.wallet.rate_plan)
        return rate_table(self.wallet.rate_plan, self.rate_version)


def target_of(
    request: ApiRequest, account_id: str, *, unit: Unit = Unit.CREDITS, at: datetime
) -> Addressed:
    """Return the wallet that a request's job is for: no query, as a rule.

    Of the wallet is known what a job needs; the rest is read when asked for.

    Raises:
        Problem: as `addressed` says.
    """
    target = request.target
    if (
        target is not None
        and target.account_name == account_id
        and target.wallet.unit == unit.of_wallet
    ):
        return target
    return addressed(request.auth, account_id, unit=unit, at=at)


def addressed(
    key: ServiceKey, account_id: str, *, unit: Unit = Unit.CREDITS, at: datetime
) -> Addressed:
    """Return the wallet of an account that the key may speak for: one query.

    Raises:
        Problem: there is no such account, or it is another's: the two look alike.
            Or it has nothing in this unit.
    """
    found = all_addressed(key, [account_id], unit=unit, at=at)
    if account_id not in found:
        raise not_addressed(key, account_id, unit=unit, at=at)
    return found[account_id]


def all_addressed(
    key: ServiceKey, account_ids: Iterable[str], *, unit: Unit, at: datetime
) -> dict[str, Addressed]:
    """Return the wallets of accounts that the key may speak for: one query or none."""
    known = {name for name in account_ids if _ACCOUNT_ID.fullmatch(name)}
    if not known:
        return {}
    rows = fetch(_query(unit), [at, list(known), key.account_id, key.account_id])
    return {
        row.account_name: Addressed(
            instance(Wallet, row), row.rate_version, row.account_name
        )
        for row in rows
    }


_RATE_VERSION = """(
    SELECT version FROM credits_ratecard
    WHERE rate_plan = credits_wallet.rate_plan AND starts_at <= %s
    ORDER BY starts_at DESC LIMIT 1
) AS rate_version"""


@cache
def _query(unit: Unit) -> str:
    return f"""
        SELECT {columns(Wallet)}, accounts_account.public_id AS account_name,
            {_RATE_VERSION}
        FROM credits_wallet
        JOIN accounts_account ON accounts_account.id = credits_wallet.account_id
        WHERE accounts_account.public_id = ANY (%s) AND unit = '{unit.of_wallet}'
            AND (%s::bigint IS NULL OR account_id = %s)
    """  # noqa: S608 - of the names of columns


@cache
def query_of_both() -> str:
    """Return the query of a live key and the wallet of its job.

    Its parameters: the instant, the account's public id, the unit, the key's digest.
    """
    # In one, because a round trip takes longer than either half of what it asks.
    return f"""
        SELECT {columns(ServiceKey)}, {columns(Wallet, *_OF_WALLET)}, {_RATE_VERSION}
        FROM accounts_servicekey
        LEFT JOIN (
            credits_wallet
            JOIN accounts_account ON accounts_account.id = credits_wallet.account_id
        ) ON accounts_account.public_id = %s AND credits_wallet.unit = %s
            AND credits_wallet.account_id
                = coalesce(accounts_servicekey.account_id, credits_wallet.account_id)
        WHERE accounts_servicekey.secret_hash = %s
    """  # noqa: S608 - of the names of columns


def hold_of(key: ServiceKey, hold_id: str) -> Hold:
    """Return a hold, with its wallet and account, that the key may settle: one query.

    Raises:
        HoldNotFound: there is none, or it is another's: the two look alike.
    """
    holds = Hold.objects.select_related("wallet__account").filter(public_id=hold_id)
    if key.account_id is not None:
        holds = holds.filter(wallet__account_id=key.account_id)
    hold = holds.first() if _HOLD_ID.fullmatch(hold_id) else None
    if hold is None:
        raise ledger.HoldNotFound
    return hold


def not_addressed(
    key: ServiceKey, account_id: str, *, unit: Unit, at: datetime
) -> Problem:
    """Return why a wallet was not found: accounts have one of credits at least."""
    if unit is Unit.CREDITS or not all_addressed(
        key, [account_id], unit=Unit.CREDITS, at=at
    ):
        return Problem(problems.NOT_FOUND, "There is no such account.")
    return Problem(
        problems.NO_PREMIUM_CREDITS,
        "Premium credits belong to legacy plans, and this account was on none.",
        rule="R34",
        way_forward="Leave `unit` out: this account uses credits.",
    )
