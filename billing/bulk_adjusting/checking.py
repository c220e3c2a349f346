"""The dry run of a file: every row with its effect or its errors, and nothing moved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.templatetags import units
from billing.bulk_adjusting import reading
from billing.bulk_adjusting.rows import Row, parse
from billing.models import BatchState, BulkFile
from credits import ledger
from credits.models import Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.models import User

_AT_ONCE = 1_000


@transaction.atomic
def check(content: bytes, *, name: str, by: User, at: datetime) -> BulkFile:
    """Try a file out, and keep what came of it; the same file is kept once.

    One that was proposed before is returned as it is by now.

    Raises:
        FileRefused: it is no file of adjustments.

    Source: docs/rules.md R94.
    """
    file_id = sha256(name.encode() + b"\0" + content).hexdigest()
    known = BulkFile.objects.select_for_update(no_key=True).filter(file_id=file_id)
    file = known.first() or BulkFile(file_id=file_id, name=name)
    if file.pk and file.state != BatchState.CHECKED:
        return file
    file.state, file.proposed_by, file.proposed_at = BatchState.CHECKED, by, at
    fill_in(file, _checked(reading.read(content), at))
    file.save()
    return file


def fill_in(file: BulkFile, rows: list[Row]) -> None:
    """Write rows and what they come to into a file; the caller saves it."""
    file.rows = [asdict(row) for row in rows]
    file.size = len(rows)
    file.errors = sum(bool(row.errors) for row in rows)
    file.added = sum(row.credits for row in rows if row.credits > 0)
    file.removed = -sum(row.credits for row in rows if row.credits < 0)
    file.credits = file.added + file.removed


def _checked(raw_rows: Iterable[reading.RawRow], at: datetime) -> list[Row]:
    rows = [parse(raw, at=at) for raw in raw_rows]
    _find_accounts(rows)
    _find_twins(rows)
    _try_out(rows, at)
    return rows


def _find_accounts(rows: list[Row]) -> None:
    """By its id, or by an e-mail address of the account or of a member of it."""
    found = _accounts_by({row.account.lower() for row in rows})
    for row in rows:
        accounts = found.get(row.account.lower(), {})
        if len(accounts) == 1:
            [account] = accounts.values()
            row.belongs_to(account)
        elif accounts:
            row.errors.append(_("Several accounts have this address: use the id."))
        elif row.account:
            row.errors.append(
                _("There is no such account: write its id, or an e-mail address of it.")
            )


def _accounts_by(said: set[str]) -> defaultdict[str, dict[int, Account]]:
    found = defaultdict[str, dict[int, Account]](dict)
    names = sorted(said)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        accounts = Account.objects.filter(
            Q(public_id__in=some)
            | Q(billing_email__in=some)
            | Q(memberships__user__email__in=some)
        ).distinct()
        for account in accounts.prefetch_related("memberships__user"):
            of_members = (one.user.email for one in account.memberships.all())
            for text in (account.public_id, account.billing_email, *of_members):
                found[text.lower()][account.pk] = account
    return found


def _find_twins(rows: list[Row]) -> None:
    """An account may have several rows, but hardly two that say the same."""
    first: dict[tuple[object, ...], int] = {}
    for row in rows:
        said = (row.account_id, row.credits, row.expires_at, row.comment, row.ticket)
        twin = first.setdefault(said, row.number)
        if twin != row.number and row.account_id:
            row.errors.append(
                _("Row %(number)s says the same: leave one of them out.")
                % {"number": twin}
            )


def _try_out(rows: list[Row], at: datetime) -> None:
    """Say what each account would have, one row after the other (R92)."""
    left = _available({row.account_id for row in rows if row.account_id}, at)
    for row in rows:
        if row.account_id is None:
            continue
        row.before = left[row.account_id]
        row.after = row.before + row.credits
        if row.after < 0:
            message = _("Only %(left)s credits are available.")
            row.errors.append(message % {"left": units.credits(row.before)})
        if not row.errors:
            left[row.account_id] = row.after


def _available(account_ids: set[int], at: datetime) -> defaultdict[int, int]:
    wallets = Wallet.objects.filter(
        account_id__in=account_ids, unit=WalletUnit.CREDITS
    ).order_by("pk")
    for wallet_id in wallets.filter(next_expiry_at__lte=at).values_list(
        "pk", flat=True
    ):
        ledger.expire_wallet(wallet_id=wallet_id, at=at)
    found = {wallet.account_id: wallet.available for wallet in wallets.all()}
    return defaultdict(int, found)
