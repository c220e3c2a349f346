"""What staff have to know of accounts before anything else, in a word or two each."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import ServiceKey
from accounts.templatetags.units import plural_credits
from billing.models import (
    AutoReload,
    Dispute,
    FraudWarning,
    PlanFamily,
    Subscription,
    WarningState,
    WorkItem,
    WorkKind,
    WorkState,
)
from billing.plans import subscribing
from billing.plans.subscribing import Standing
from credits.models import Wallet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

_STANDINGS = {
    Standing.OVERDUE: ("warning", gettext_lazy("payment overdue")),
    Standing.BLOCKED: ("danger", gettext_lazy("not paid, spending blocked")),
    Standing.OVER: ("danger", gettext_lazy("plan is over")),
    Standing.ENDING: ("info", gettext_lazy("plan ends")),
}


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to know of an account; level as of a badge."""

    text: str
    level: str = "neutral"


def flags_of(
    account_ids: Collection[int], *, at: datetime
) -> dict[int, tuple[Flag, ...]]:
    """Return the flags of accounts, the gravest kinds first; in so many queries."""
    found: defaultdict[int, list[Flag]] = defaultdict(list)
    for source in (_plans, _doubts, _wallets, _reloads, _unbilled, _keys):
        for account_id, flag in source(account_ids, at):
            found[account_id].append(flag)
    return {account_id: tuple(found[account_id]) for account_id in account_ids}


def _plans(account_ids: Collection[int], at: datetime) -> Iterator[tuple[int, Flag]]:
    live = Subscription.objects.filter(account_id__in=account_ids, ended_at=None)
    for plan in live.select_related("plan_version__plan"):
        standing = subscribing.standing(plan, at=at)
        if standing in _STANDINGS:
            level, text = _STANDINGS[standing]
            yield plan.account_id, Flag(str(text), level)
        if plan.plan_version.plan.family == PlanFamily.LEGACY:
            yield plan.account_id, Flag(_("legacy"), "info")


def _doubts(account_ids: Collection[int], _at: datetime) -> Iterator[tuple[int, Flag]]:
    disputes = Dispute.objects.filter(account_id__in=account_ids, closed_at=None)
    for account_id in disputes.values_list("account_id", flat=True).distinct():
        yield account_id, Flag(_("disputed"), "danger")
    warnings = FraudWarning.objects.filter(
        account_id__in=account_ids, state=WarningState.OPEN
    )
    for account_id in warnings.values_list("account_id", flat=True).distinct():
        yield account_id, Flag(_("fraud warning"), "danger")


def _wallets(account_ids: Collection[int], _at: datetime) -> Iterator[tuple[int, Flag]]:
    wallets = Wallet.objects.filter(account_id__in=account_ids)
    for wallet in wallets.filter(Q(debt__gt=0) | Q(frozen__gt=0) | Q(has_caps=True)):
        if wallet.debt:
            owes = _("owes %(amount)s") % {"amount": plural_credits(wallet.debt)}
            yield wallet.account_id, Flag(owes, "danger")
        if wallet.frozen:
            yield wallet.account_id, Flag(_("frozen credits"), "warning")
        if wallet.has_caps:
            yield wallet.account_id, Flag(_("member caps"))


def _reloads(account_ids: Collection[int], _at: datetime) -> Iterator[tuple[int, Flag]]:
    stopped = AutoReload.objects.filter(
        account_id__in=account_ids, is_on=True, suspended_at__isnull=False
    )
    for account_id in stopped.values_list("account_id", flat=True):
        yield account_id, Flag(_("auto-reload suspended"), "warning")


def _unbilled(
    account_ids: Collection[int], _at: datetime
) -> Iterator[tuple[int, Flag]]:
    jobs = WorkItem.objects.filter(
        account_id__in=account_ids, kind=WorkKind.UNBILLED_JOB, state=WorkState.OPEN
    )
    for account_id, number in Counter(
        jobs.values_list("account_id", flat=True)
    ).items():
        text = ngettext("%(number)s unbilled job", "%(number)s unbilled jobs", number)
        yield account_id or 0, Flag(text % {"number": number}, "warning")


def _keys(account_ids: Collection[int], at: datetime) -> Iterator[tuple[int, Flag]]:
    live = ServiceKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=at),
        account_id__in=account_ids,
        revoked_at=None,
    )
    for account_id, number in Counter(
        live.values_list("account_id", flat=True)
    ).items():
        text = ngettext("%(number)s API key", "%(number)s API keys", number)
        yield account_id or 0, Flag(text % {"number": number})
