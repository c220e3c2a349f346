"""Which key asks, and which wallet it may ask about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts import keys
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

    from accounts.models import Scope, ServiceKey
    from credits.quoting import RateTable

_ACCOUNT_ID = re.compile(r"acc_[0-9a-z]{1,28}")
_HOLD_ID = re.compile(r"hld_[0-9a-z]{1,28}")


class ApiRequest(HttpRequest):
    """A request whose key was checked."""

    auth: ServiceKey


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
        key = keys.authenticate(token, at=now())
        if key is None:
            raise unauthenticated()
        if self.scope not in key.scopes:
            raise Problem(
                problems.MISSING_SCOPE,
                f"This call needs a service key with the scope {self.scope.value}.",
                scope=self.scope.value,
            )
        return key


@dataclass(frozen=True, slots=True)
class Addressed:
    """The wallet that a request is about, and the rate card in force for it."""

    wallet: Wallet
    rate_version: int | None

    @property
    def rates(self) -> RateTable:
        """Return the rates in force.

        Raises:
            NoRateCard: no card of the wallet's rate plan has started.
        """
        if self.rate_version is None:
            raise NoRateCard(self.wallet.rate_plan)
        return rate_table(self.wallet.rate_plan, self.rate_version)


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
        row.account_name: Addressed(instance(Wallet, row), row.rate_version)
        for row in rows
    }


@cache
def _query(unit: Unit) -> str:
    return f"""
        SELECT {columns(Wallet)}, accounts_account.public_id AS account_name, (
            SELECT version FROM credits_ratecard
            WHERE rate_plan = credits_wallet.rate_plan AND starts_at <= %s
            ORDER BY starts_at DESC LIMIT 1
        ) AS rate_version
        FROM credits_wallet
        JOIN accounts_account ON accounts_account.id = credits_wallet.account_id
        WHERE accounts_account.public_id = ANY (%s) AND unit = '{unit.of_wallet}'
            AND (%s::bigint IS NULL OR account_id = %s)
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
