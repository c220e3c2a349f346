"""Service keys: `prsr_<prefix>_<secret><checksum>`, shown once, kept hashed.

The prefix (8 characters) is public and names the key; the secret is 160 random
bits; the checksum is the CRC-32 of all before it, so that a mistyped key is
refused without a query and secret scanners can tell a key from noise.
"""

from __future__ import annotations

import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from accounts import auditing, notifying
from accounts.models import ServiceKey
from accounts.prepared import columns, fetch, instance
from accounts.public_ids import ALPHABET
from accounts.roles import Permission

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from accounts.models import Account, User

_BRAND = "prsr"
_PREFIX_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 8, 32, 7
_KEY_LENGTH = len(f"{_BRAND}__") + _PREFIX_LENGTH + _SECRET_LENGTH + _CHECKSUM_LENGTH
_USE_NOTED_EVERY = timedelta(minutes=1)
_OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key and its secret, which is known nowhere else."""

    key: ServiceKey
    secret: str


@transaction.atomic
def issue(
    *,
    name: str,
    scopes: Iterable[str],
    at: datetime,
    by: User | None = None,
    account: Account | None = None,
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make a key for one account, or without an account the operator's own.

    The returned secret is the whole key; it cannot be read again.
    """
    prefix = f"{_BRAND}_{_random(_PREFIX_LENGTH)}"
    unchecked = f"{prefix}_{_random(_SECRET_LENGTH)}"
    secret = unchecked + _checksum(unchecked)
    key = ServiceKey.objects.create(
        account=account,
        name=name,
        prefix=prefix,
        last4=secret[-4:],
        secret_hash=_hash(secret),
        scopes=sorted(scopes),
        created_by=by,
        expires_at=expires_at,
    )
    auditing.record(
        action="key.created",
        actor=by or _OPERATOR,
        account=account,
        target=str(key),
        after={"scopes": key.scopes, "expires_at": expires_at and str(expires_at)},
        at=at,
    )
    _tell("key_created", key, by=by, at=at)
    return IssuedKey(key=key, secret=secret)


@transaction.atomic
def revoke(*, key: ServiceKey, by: User, at: datetime) -> None:
    """Close a key for good; closing it again changes nothing."""
    is_open = ServiceKey.objects.filter(pk=key.pk, revoked_at=None)
    if not is_open.update(revoked_at=at):
        return
    auditing.record(
        action="key.revoked", actor=by, account=key.account, target=str(key), at=at
    )
    _tell("key_revoked", key, by=by, at=at)


def authenticate(token: str, *, at: datetime) -> ServiceKey | None:
    """Return the live key that a token is; None when it opens nothing.

    One indexed query, none for a token that cannot be a key. The use is noted at
    most once a minute.
    """
    digest = digest_of(token)
    rows = fetch(_query(), [digest]) if digest else []
    return opened_by(rows[0], at=at) if rows else None


def digest_of(token: str) -> bytes | None:
    """Return what a key is found by, `secret_hash`; None for what cannot be a key."""
    return _hash(token) if _is_well_formed(token) else None


def opened_by(row: Sequence[Any], *, at: datetime) -> ServiceKey | None:
    """Return the key that a row begins with, its use noted; None when it is closed."""
    key = instance(ServiceKey, row)
    if not key.is_live(at=at):
        return None
    _note_use(key, at=at)
    return key


def _query() -> str:
    return (
        f"SELECT {columns(ServiceKey)} FROM accounts_servicekey"  # noqa: S608
        " WHERE secret_hash = %s"
    )


def _note_use(key: ServiceKey, *, at: datetime) -> None:
    stale_before = at - _USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at <= stale_before:
        ServiceKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=stale_before), pk=key.pk
        ).update(last_used_at=at)


def _tell(kind: str, key: ServiceKey, *, by: User | None, at: datetime) -> None:
    if key.account is None:
        return
    notifying.notify(
        kind=kind,
        key=f"{kind}:{key.pk}",
        recipients=notifying.members_who_may(key.account, Permission.MANAGE_KEYS),
        context={"key": key, "by": by.display_name if by else _OPERATOR},
        account=key.account,
        at=at,
    )


def _is_well_formed(token: str) -> bool:
    unchecked, checksum = token[:-_CHECKSUM_LENGTH], token[-_CHECKSUM_LENGTH:]
    return (
        len(token) == _KEY_LENGTH
        and token.isascii()
        and token.startswith(f"{_BRAND}_")
        and checksum == _checksum(unchecked)
    )


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """Return the CRC-32 of a text in seven characters of five bits."""
    crc = zlib.crc32(text.encode())
    shifts = range(5 * (_CHECKSUM_LENGTH - 1), -1, -5)
    return "".join(ALPHABET[crc >> shift & 31] for shift in shifts)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
