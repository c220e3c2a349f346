"""What all endpoints that write share: keys, who did it, and first results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.db.models.functions import Lower
from ninja import Header

from accounts.models import Membership, User
from credits import ledger
from credits.api import problems
from credits.api.problems import Problem
from credits.models import LedgerEntry
from credits.quoting import NoRateCard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpResponse

    from accounts.models import ServiceKey

# HTTP strips spaces off the ends of a header.
KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?$"
MAX_KEY = 100
# What may be answered to a request with a body, and to one that moves credits.
SENT = (400, 401, 403, 404, 413, 415, 422, 429, 500, 503)
REFUSALS = (400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 500, 503)

# Why a request may be refused now that was accepted before.
OUTDATED = (Problem, NoRateCard)

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        pattern=KEY_PATTERN,
        description="Names this request for good; reuse it to repeat the request.",
    ),
]


def ledger_key(idempotency_key: str) -> str:
    """Return the key as the ledger keeps it."""
    # The ledger has keys of its own in the same wallet, such as “expire:7”: a caller
    # who sent that one would stop the expiry of grant 7 for good.
    return f"api:{idempotency_key}"


def actor_of(key: ServiceKey) -> str:
    """Return what the ledger notes as the sender of a command."""
    return f"{key.name} ({key.public_id})"


def mark_replay(response: HttpResponse) -> None:
    """Tell that the answer is a first result, repeated (R109)."""
    response.headers["Idempotent-Replayed"] = "true"


class Members:
    """The members of some accounts with some e-mail addresses: one query or none."""

    def __init__(self, named: Iterable[tuple[int, str | None]]) -> None:
        """Look them up: account ids, and addresses in any case."""
        wanted = {(account, email.lower()) for account, email in named if email}
        # No name is the usual case: then not even a query is built.
        found = (
            Membership.objects.alias(email=Lower("user__email"))
            .filter(
                account_id__in={account for account, _ in wanted},
                email__in={email for _, email in wanted},
            )
            .select_related("user")
            if wanted
            else ()
        )
        self._users = {
            (membership.account_id, membership.user.email.lower()): membership.user
            for membership in found
        }

    def find(self, account_id: int, email: str | None) -> User | None:
        """Return the member of an account with an address; None when none is named.

        Raises:
            Problem: no member of this account has it.
        """
        if email is None:
            return None
        user = self._users.get((account_id, email.lower()))
        if user is None:
            detail = "No member of this account has this e-mail address."
            raise problems.invalid([{"detail": detail, "pointer": "#/member"}])
        return user


def first_entry(
    *,
    wallet_id: int,
    key: str,
    member: str | None,
    fingerprint: Callable[[int | None], bytes],
) -> LedgerEntry | None:
    """Return what a request did before, if anything, although it is refused now (R109).

    A feature may have lost its rate since, or the member may have left. `fingerprint`
    makes the hash of the request from the id that the member had.

    Raises:
        IdempotencyConflict: the key was used for something else.
    """
    entry = LedgerEntry.objects.filter(wallet_id=wallet_id, idempotency_key=key).first()
    if entry is None:
        return None
    is_same_member = entry.member.lower() == (member or "").lower()
    asked = fingerprint(entry.member_id)
    if not (is_same_member and asked == bytes(entry.request_hash)):
        raise ledger.IdempotencyConflict(key)
    return entry
