"""Legacy plans and their packs of premium credits: brought in from a file, never sold.

Bringing in a file again changes nothing: a plan that is there is left, or paid for
longer, one that has ended has ended, and a pack is one grant by its name (R34, R35).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts.models import Account
from billing.finance import bookings
from billing.models import (
    ChangeState,
    Interval,
    PlanFamily,
    Subscription,
    SubscriptionStatus,
)
from billing.plans import catalogue, ending, renewing, subscribing
from billing.stripe_gateway import BillingError
from billing.subscriptions import notices
from credits import ledger
from credits.core.amounts import AmountOutOfBounds
from credits.models import GrantSource, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from billing.models import PlanVersion

    Row = Mapping[str, str]

COLUMNS = (
    *("kind", "account", "starts_at", "ends_at", "plan", "interval"),
    *("pack", "credits", "cents"),
)
_ACTOR = "legacy import"


class RowRefused(BillingError):
    """A row that cannot be brought in; the text says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many plans and packs were new or are paid longer, and what was refused."""

    changed: int
    errors: tuple[str, ...]


def read(lines: Iterable[str]) -> list[Row]:
    """Return the rows of a CSV file with a header.

    Raises:
        RowRefused: the columns are not `COLUMNS`.
    """
    reader = csv.DictReader(lines)
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise RowRefused(f"The columns must be: {', '.join(COLUMNS)}.")
    return list(reader)


@transaction.atomic
def bring_in(rows: Iterable[Row], *, dry_run: bool, at: datetime) -> Imported:
    """Bring in all rows, or none of them if one is refused or this is a dry run."""
    changed, errors = 0, []
    # The header is line 1.
    for line, row in enumerate(rows, start=2):
        try:
            with transaction.atomic():
                changed += _bring_in(row, at=at)
        except (RowRefused, ledger.CreditsError, AmountOutOfBounds, ValueError) as no:
            errors.append(f"Line {line}: {no}")
    if errors or dry_run:
        transaction.set_rollback(True)
    return Imported(changed, tuple(errors))


def _bring_in(row: Row, *, at: datetime) -> bool:
    account = Account.objects.select_for_update(no_key=True).filter(
        public_id=row["account"]
    )
    found = account.first()
    if found is None:
        raise RowRefused(f"There is no account {row['account']}.")
    match row["kind"]:
        case "plan":
            return _keep_plan(found, row, at=at)
        case "pack":
            return _keep_pack(found, row, at=at)
        case "end":
            return _end_plan(found, row, at=at)
        case kind:
            raise RowRefused(f"“{kind}” is neither plan nor pack nor end.")


def _keep_plan(account: Account, row: Row, *, at: datetime) -> bool:
    version, paid_until = _legacy_version(row["plan"], at=at), _instant(row["ends_at"])
    live = subscribing.live_subscription(account.pk)
    if live is None:
        live = _begin(account, version, row, at=at)
    elif live.plan_version != version:
        raise RowRefused(f"The account is on {live.plan_version.plan.name}.")
    if live.paid_until and paid_until <= live.paid_until:
        return False
    live.paid_until = paid_until
    live.save(update_fields=["paid_until"])
    subscribing.push_terms(account.pk, at=at)
    return True


def _begin(
    account: Account, version: PlanVersion, row: Row, *, at: datetime
) -> Subscription:
    # R34: who has had another plan has left theirs for good.
    if account.subscriptions.exists():
        raise RowRefused("The account has had a plan here: nobody returns to legacy.")
    _let_legacy_in(is_allowed=True)
    subscription = Subscription.objects.create(
        account=account,
        plan_version=version,
        interval=Interval(row["interval"]),
        status=SubscriptionStatus.ACTIVE,
        anchor_at=(anchor_at := _instant(row["starts_at"])),
    )
    _let_legacy_in(is_allowed=False)
    # Also without a pack: it is what the plan is paid in.
    ledger.open_wallet(account_id=account.pk, unit=WalletUnit.PREMIUM, at=at)
    renewing.record_beginning(subscription, starts_at=anchor_at, at=at)
    return subscription


def _end_plan(account: Account, row: Row, *, at: datetime) -> bool:
    # R35: a plan that is not paid any more is lost, once whoever is paid says so.
    live, ended_at = subscribing.live_subscription(account.pk), _instant(row["ends_at"])
    if live is None or live.plan_version.plan.code != row["plan"]:
        if account.subscriptions.filter(plan_version__plan__code=row["plan"]).exists():
            return False
        raise RowRefused("The account was never on this plan.")
    if live.plan_version.plan.family != PlanFamily.LEGACY:
        raise RowRefused(f"{live.plan_version.plan.name} is no legacy plan.")
    if ended_at > at:
        raise RowRefused("This end lies in the future.")
    ended = ending.end_plan(live, ended_at=ended_at, at=at)
    notices.tell_end(live, ended, at=at)
    # The end that was scheduled has come; the sweeper closes that change.
    live.changes.filter(state=ChangeState.SCHEDULED).update(next_check_at=at)
    return True


def _keep_pack(account: Account, row: Row, *, at: datetime) -> bool:
    if not row["pack"]:
        raise RowRefused("A pack needs a name: it is brought in once by it.")
    granted = ledger.grant(
        wallet_id=ledger.open_wallet(
            account_id=account.pk, unit=WalletUnit.PREMIUM, at=at
        ),
        source=GrantSource.PACK,
        source_key=f"legacy:{row['pack']}",
        credits=int(row["credits"]),
        cost_basis_cents=int(row["cents"] or 0),
        effective_at=_instant(row["starts_at"]),
        expires_at=_instant(row["ends_at"]) if row["ends_at"] else None,
        actor=_ACTOR,
        reason=f"Pack {row['pack']}",
        at=at,
    )
    subscribing.push_terms(account.pk, at=at)
    if not granted.is_replay:
        bookings.pack_brought_in(
            account.pk,
            pack=row["pack"],
            cents=int(row["cents"] or 0),
            occurred_at=at,
            at=at,
        )
    return not granted.is_replay


def _legacy_version(code: str, *, at: datetime) -> PlanVersion:
    try:
        version = catalogue.plan_in_force(code, at=at)
    except catalogue.NothingOffered as missing:
        raise RowRefused(str(missing)) from missing
    if version.plan.family != PlanFamily.LEGACY:
        raise RowRefused(f"{version.plan.name} is no legacy plan.")
    return version


def _let_legacy_in(*, is_allowed: bool) -> None:
    """Tell the trigger on subscriptions, for this transaction, who is asking."""
    with connection.cursor() as cursor:
        word = "on" if is_allowed else ""
        cursor.execute("SELECT set_config('purser.legacy_import', %s, true)", [word])


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise RowRefused(f"{text} names no time zone; for UTC write {text}Z.")
    return instant
