"""Raising alerts: each is one row and one e-mail to each recipient, written together.

What an alert says are the figures of the balance as every page shows it (R110). Any
number of workers may look: each passes over what another has locked.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts import notifying
from credits import alerts, statements
from credits.core.spans import day_of, span_of_days
from credits.models import (
    Alert,
    AlertKind,
    AlertSettings,
    CreditGrant,
    ExpiryWatch,
    SpendingBlock,
    Wallet,
    WalletUnit,
)
from credits.signals import balance_low

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from accounts.models import User
    from credits.alerts import Recipient
    from credits.statements import Balance

# A plan without credits has no balance to watch.
_BELOW_A_THRESHOLD = """
    SELECT settings.wallet_id
    FROM credits_alertsettings AS settings
    JOIN credits_wallet AS wallet ON wallet.id = settings.wallet_id
    WHERE settings.thresholds <> '{}' AND wallet.spending_block <> %(no_plan)s
        -- As Wallet.block_at says, though nobody has told of the plan's end yet.
        AND (wallet.spends_until <= %(at)s AND wallet.plan_ends_at <= %(at)s)
            IS NOT TRUE
        AND EXISTS (
            SELECT FROM unnest(settings.thresholds) AS set (threshold)
            WHERE wallet.balance - wallet.held - wallet.frozen < set.threshold
                AND NOT EXISTS (
                    SELECT FROM credits_alert AS alert
                    WHERE alert.wallet_id = settings.wallet_id
                        AND alert.kind = %(kind)s AND alert.threshold = set.threshold
                        AND alert.window_starts_at
                            = coalesce(wallet.cycle_starts_at, %(month_starts_at)s)
                )
        )
    ORDER BY settings.wallet_id
"""


def below_a_threshold(*, at: datetime) -> list[int]:
    """Return the wallets of whose balance something is to be told, by ascending id.

    Only wallets with thresholds are looked at, and none is locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _BELOW_A_THRESHOLD,
            {
                "kind": AlertKind.LOW_BALANCE,
                "no_plan": SpendingBlock.NO_PAID_PLAN,
                "month_starts_at": _month_of(at)[0],
                "at": at,
            },
        )
        return [wallet_id for (wallet_id,) in cursor.fetchall()]


@transaction.atomic
def raise_low_balances(wallet_ids: Collection[int], *, at: datetime) -> int:
    """Warn of those wallets that have less than a threshold; return how many have.

    Once for each threshold and cycle; without a cycle, for each month (UTC).
    """
    free = AlertSettings.objects.select_for_update(of=("self",), skip_locked=True)
    found = free.filter(pk__in=wallet_ids).select_related("wallet__account")
    return sum(_raise_low_balance(settings, at) for settings in found.order_by("pk"))


@transaction.atomic
def raise_expiries(*, days: int, limit: int, at: datetime) -> int:
    """Warn of up to `limit` expiries so many days ahead; return how many were found.

    Once for each wallet and day of the account's calendar. An expiry that is told
    late is not told again as one of more days ahead. None is found while another
    worker looks for expiries of the same number of days.
    """
    ExpiryWatch.objects.get_or_create(days=days, defaults={"told_until": at})
    free = ExpiryWatch.objects.select_for_update(skip_locked=True)
    watch = free.filter(days=days).first()
    if watch is None:
        return 0
    due = _ending(watch, limit, at)
    wallets = Wallet.objects.select_related("account").in_bulk([pk for pk, _ in due])
    for wallet_id, expires_at in sorted(due):  # wallets are locked by ascending id
        _raise_expiry(wallets[wallet_id], expires_at, days, at)
    if len(due) < limit:
        watch.told_until = at
        watch.save(update_fields=["told_until"])
    return len(due)


@transaction.atomic
def send_test(*, wallet: Wallet, to: User, at: datetime) -> None:
    """Send somebody an e-mail like an alert, at most once a minute."""
    settings = alerts.settings_of(wallet)
    _tell(
        kind="alert_test",
        key=f"alert_test:{wallet.pk}:{to.pk}:{at:%Y-%m-%dT%H:%M}",
        recipients=[alerts.Recipient(to.email, is_subscribed=True)],
        context={
            "balance": statements.balance_of(wallet.pk, at=at),
            "settings": settings,
        },
        wallet=wallet,
        at=at,
    )


def _raise_low_balance(settings: AlertSettings, at: datetime) -> bool:
    wallet = settings.wallet
    balance = statements.balance_of(wallet.pk, at=at)
    crossed = {one for one in settings.thresholds if balance.available < one}
    # Read again under the lock: another worker may have told since we looked.
    starts_at, ends_at = _window_of(wallet, at)
    told = wallet.alerts.filter(
        kind=AlertKind.LOW_BALANCE, window_starts_at=starts_at
    ).values_list("threshold", flat=True)
    raised = Alert.objects.bulk_create(
        Alert(
            wallet=wallet,
            kind=AlertKind.LOW_BALANCE,
            threshold=threshold,
            window_starts_at=starts_at,
            window_ends_at=ends_at,
            credits=balance.available,
            raised_at=at,
        )
        for threshold in sorted(crossed.difference(told))
    )
    # One e-mail says it: that of the lowest threshold, unless it was told before.
    if raised and raised[0].threshold == min(crossed):
        _tell_low_balance(settings, balance, raised[0], at)
        balance_low.send(
            sender=None,
            wallet=wallet,
            available=balance.available,
            threshold=raised[0].threshold,
            key=str(raised[0].pk),
            at=at,
        )
    return bool(raised)


def _tell_low_balance(
    settings: AlertSettings, balance: Balance, alert: Alert, at: datetime
) -> None:
    _tell(
        kind="low_balance",
        key=f"alert:{alert.pk}",
        recipients=alerts.recipients_of(settings),
        context={
            "balance": balance,
            "threshold": alert.threshold,
            "cycle_ends_at": settings.wallet.cycle_ends_at,
        },
        wallet=settings.wallet,
        at=at,
    )


def _ending(watch: ExpiryWatch, limit: int, at: datetime) -> list[tuple[int, datetime]]:
    """Return wallets and instants of expiries that came due since the last look."""
    ahead = timedelta(days=watch.days)
    first, last = watch.told_until + ahead, at + ahead
    by_own_date = Q(expires_at__gte=first, expires_at__lte=last)
    # R15: the plan's end is theirs. A question of its own, for it has its own index.
    by_plan = Q(
        source__in=statements.FROM_PLAN,
        wallet__plan_is_over=False,
        wallet__plan_ends_at__gte=first,
        wallet__plan_ends_at__lte=last,
    )
    grants = CreditGrant.objects.annotate(ends_at=statements.ENDS_AT)
    told_soon = grants.filter(
        _is_to_be_told(watch), ends_at__gt=at, ends_at__gte=first, ends_at__lte=last
    )
    due = {
        (end, wallet_id)
        for found in (by_own_date, by_plan)
        for wallet_id, end in told_soon.filter(found)
        .order_by("ends_at", "wallet")
        .values_list("wallet", "ends_at")
        .distinct()[:limit]
    }
    return [(wallet_id, end) for end, wallet_id in sorted(due)[:limit]]


def _is_to_be_told(watch: ExpiryWatch) -> Q:
    """Return what is usable, wanted to be told of, and was not told at its end."""
    told = Alert.objects.filter(
        wallet=OuterRef("wallet"),
        kind=AlertKind.EXPIRY,
        threshold__lte=watch.days,
        window_starts_at__lte=OuterRef("ends_at"),
        window_ends_at__gt=OuterRef("ends_at"),
    )
    is_wanted = Q(wallet__alert_settings=None) | Q(
        wallet__alert_settings__expiry_days__contains=[watch.days]
    )
    is_usable = Q(is_open=True, remaining__gt=F("held"), frozen_for=[])
    return is_usable & is_wanted & ~Exists(told) & Q(wallet__unit=WalletUnit.CREDITS)


def _raise_expiry(
    wallet: Wallet, expires_at: datetime, days: int, at: datetime
) -> None:
    balance = statements.balance_of(wallet.pk, at=at)
    zone = ZoneInfo(wallet.account.time_zone)
    date = day_of(expires_at, zone)
    day = span_of_days(date, date, zone)
    ending = [
        grant
        for grant in balance.grants
        if grant.usable
        and grant.expires_at
        and day.starts_at <= grant.expires_at < day.ends_at
    ]
    alert, is_new = Alert.objects.get_or_create(
        wallet=wallet,
        kind=AlertKind.EXPIRY,
        threshold=days,
        window_starts_at=day.starts_at,
        defaults={
            "window_ends_at": day.ends_at,
            "credits": sum(grant.usable for grant in ending),
            "raised_at": at,
        },
    )
    if is_new and alert.credits:
        _tell_expiry(wallet, balance, alert, at)


def _tell_expiry(wallet: Wallet, balance: Balance, alert: Alert, at: datetime) -> None:
    _tell(
        kind="credits_end",
        key=f"alert:{alert.pk}",
        recipients=alerts.recipients_of(alerts.settings_of(wallet)),
        context={
            "balance": balance,
            "ending": alert.credits,
            "ends_on": alert.window_starts_at,
        },
        wallet=wallet,
        at=at,
    )


def _tell(
    *,
    kind: str,
    key: str,
    recipients: Iterable[Recipient],
    context: Mapping[str, Any],
    wallet: Wallet,
    at: datetime,
) -> None:
    """Write to each recipient: the link that unsubscribes is their own."""
    for recipient in recipients:
        if not recipient.is_subscribed:
            continue
        token = alerts.unsubscribe_token(wallet.pk, recipient.email)
        notifying.notify(
            kind=kind,
            key=key,
            recipients=[recipient.email],
            context={
                **context,
                "way_forward": wallet.way_forward,
                "time_zone": wallet.account.time_zone,
                "unsubscribe_token": token,
            },
            account=wallet.account,
            at=at,
        )


def _window_of(wallet: Wallet, at: datetime) -> tuple[datetime, datetime]:
    if wallet.cycle_starts_at and wallet.cycle_ends_at:
        return wallet.cycle_starts_at, wallet.cycle_ends_at
    return _month_of(at)


def _month_of(at: datetime) -> tuple[datetime, datetime]:
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = midnight.replace(day=1)
    return starts_at, (starts_at + timedelta(days=32)).replace(day=1)
