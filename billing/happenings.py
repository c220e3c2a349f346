"""What happened between two instants, in order: the report of a journey in time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import Account, AuditEvent, Notice
from accounts.templatetags.units import money
from billing.models import Invoice
from credits.models import EntryKind, LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

# What comes by itself; what people do, and what jobs use, is on their statement.
_BY_ITSELF = (
    EntryKind.GRANT,
    EntryKind.EXPIRE,
    EntryKind.REVOKE,
    EntryKind.FREEZE,
    EntryKind.UNFREEZE,
)
_PLANS = ("subscription.", "plan_change.")


class Sort(StrEnum):
    """What something is about."""

    CREDITS = "CREDITS"
    BILL = "BILL"
    PLAN = "PLAN"
    MAIL = "MAIL"

    @property
    def label(self) -> str:
        """Return the word for people."""
        return {
            Sort.CREDITS: _("Credits"),
            Sort.BILL: _("Bill"),
            Sort.PLAN: _("Plan"),
            Sort.MAIL: _("E-mail"),
        }[self]

    @property
    def level(self) -> str:
        """Return the tone of its badge."""
        return {Sort.CREDITS: "success", Sort.BILL: "info", Sort.PLAN: "warning"}.get(
            self, "neutral"
        )


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to an account, in a few words."""

    at: datetime
    sort: Sort
    account: str
    text: str


def between(since: datetime, until: datetime, *, limit: int) -> list[Happening]:
    """Return what happened after `since`, up to and at `until`: the first `limit`.

    Of each sort the first `limit` are read, so that a long time costs no more.
    """
    window = _Window(since, until, limit)
    happened = chain(window.bills(), window.plans(), window.credits(), window.mails())
    # Sorting is stable: at one instant the bill comes before its credits.
    return sorted(happened, key=attrgetter("at"))[:limit]


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime
    until: datetime
    limit: int

    def credits(self) -> Iterator[Happening]:
        entries = LedgerEntry.objects.filter(self._within("occurred_at"))
        by_itself = entries.filter(kind__in=_BY_ITSELF).annotate(
            account=F("wallet__account__name")
        )
        for entry in by_itself.order_by("occurred_at", "pk")[: self.limit]:
            text = f"{entry.get_kind_display()}: {abs(entry.credits or entry.frozen):,}"
            yield Happening(entry.occurred_at, Sort.CREDITS, entry.account, text)

    def bills(self) -> Iterator[Happening]:
        told = Invoice.objects.filter(
            self._within("paid_at") | self._within("failed_at")
        )
        for bill in told.select_related("account").order_by("created_at", "pk")[
            : self.limit
        ]:
            amount = money(bill.due_cents, bill.currency)
            name = f"{bill.number or bill.stripe_invoice_id}: {amount}"
            if bill.failed_at and self.since < bill.failed_at <= self.until:
                text = _("Payment of bill {bill} failed").format(bill=name)
                yield Happening(bill.failed_at, Sort.BILL, bill.account.name, text)
            if bill.paid_at and self.since < bill.paid_at <= self.until:
                text = _("Bill {bill} paid").format(bill=name)
                yield Happening(bill.paid_at, Sort.BILL, bill.account.name, text)

    def plans(self) -> Iterator[Happening]:
        about_plans = Q()
        for prefix in _PLANS:
            about_plans |= Q(action__startswith=prefix)
        events = AuditEvent.objects.filter(self._within("occurred_at"), about_plans)
        found = list(events.order_by("occurred_at", "pk")[: self.limit])
        names = Account.objects.in_bulk({event.account_id for event in found} - {None})
        for event in found:
            account = names.get(event.account_id or 0)
            what = event.action.replace(".", " ").replace("_", " ").capitalize()
            plan = event.after.get("plan") or event.target
            name = account.name if account else ""
            yield Happening(event.occurred_at, Sort.PLAN, name, f"{what}: {plan}")

    def mails(self) -> Iterator[Happening]:
        notices = Notice.objects.filter(self._within("created_at"))
        for notice in notices.select_related("account").order_by("created_at", "pk")[
            : self.limit
        ]:
            name = notice.account.name if notice.account else ""
            text = f"{notice.subject} → {notice.recipient}"
            yield Happening(notice.created_at, Sort.MAIL, name, text)

    def _within(self, field: str) -> Q:
        return Q(**{f"{field}__gt": self.since, f"{field}__lte": self.until})
