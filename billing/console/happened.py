"""What tables tell of an account, each as rows of its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import AuditEvent, Notice
from accounts.templatetags.units import plural_credits
from billing.console.naming import payment_url, search_url
from billing.console.rows import Change, Family, Row
from billing.core.reload_policy import SkipReason
from billing.models import (
    Customer,
    DebtPayment,
    Dispute,
    FraudWarning,
    Invoice,
    Purchase,
    Refund,
    Reload,
    ReloadSkip,
    WebhookEvent,
)
from billing.reloads.page import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

    from accounts.models import Account
    from billing.console.rows import Position


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one family: which rows are an account's, since when, and as what.

    `show` returns a row's fields but for those that all rows have.
    """

    family: Family
    instant: str
    of: Callable[[Account], QuerySet[Any]]
    show: Callable[[Any], dict[str, Any]]

    def rows(
        self, account: Account, rank: int, *, before: Position | None, limit: int
    ) -> Iterator[Row]:
        """Yield up to `limit` rows that are older than a position, newest first."""
        found = self.of(account)
        if before:
            found = found.filter(self._older(rank, before))
        for one in found.order_by(f"-{self.instant}", "-pk")[:limit]:
            at = getattr(one, self.instant)
            place = (at, rank, one.pk)
            yield Row(place=place, at=at, family=self.family, **self.show(one))

    def _older(self, rank: int, before: Position) -> Q:
        if rank < before.rank:
            return Q(**{f"{self.instant}__lte": before.at})
        earlier = Q(**{f"{self.instant}__lt": before.at})
        if rank == before.rank:
            earlier |= Q(**{self.instant: before.at, "pk__lt": before.number})
        return earlier


def _purchase(one: Purchase) -> dict[str, Any]:
    return {
        "what": _("Purchase: %(state)s") % {"state": one.get_state_display()},
        "detail": f"{one.public_id} · {one.get_origin_display()}",
        "who": one.buyer.email,
        "url": payment_url(one),
        "cents": one.paid_cents,
        "currency": one.currency,
    }


def _invoice(one: Invoice) -> dict[str, Any]:
    return {
        "what": _("Bill: %(state)s") % {"state": one.get_status_display()},
        "detail": one.number or one.stripe_invoice_id,
        "url": payment_url(one),
        "cents": one.due_cents,
        "currency": one.currency,
    }


def _refund(one: Refund) -> dict[str, Any]:
    removed = plural_credits(one.credits_removed)
    return {
        "what": _("Refund: %(state)s") % {"state": one.get_state_display()},
        "detail": f"{one.public_id} · {removed}",
        "who": one.requested_by.email if one.requested_by else "",
        "reason": one.failure or one.reason,
        "url": payment_url(one.row),
        "cents": -one.amount_cents,
        "currency": one.currency,
    }


def _dispute(one: Dispute) -> dict[str, Any]:
    return {
        "what": _("Dispute: %(state)s") % {"state": one.get_status_display()},
        "detail": one.stripe_dispute_id,
        "reason": one.reason_text,
        "url": reverse("billing:staff_dispute", args=[one.pk]),
        "cents": -one.amount_cents,
        "currency": one.currency,
    }


def _warning(one: FraudWarning) -> dict[str, Any]:
    return {
        "what": _("Fraud warning: %(state)s") % {"state": one.get_state_display()},
        "detail": one.stripe_warning_id,
        "reason": one.closing_reason or one.fraud_text,
        "url": reverse("billing:staff_warning", args=[one.pk]),
    }


def _debt_payment(one: DebtPayment) -> dict[str, Any]:
    return {
        "what": _("Payment of a debt: %(state)s") % {"state": one.get_state_display()},
        "detail": f"{one.public_id} · {plural_credits(one.credits)}",
        "who": one.payer.email,
        "url": payment_url(one),
        "cents": one.cents,
        "currency": one.currency,
    }


def _reload(one: Reload) -> dict[str, Any]:
    return {
        "what": _("Auto-reload: %(state)s") % {"state": one.get_state_display()},
        "detail": f"{one.purchase.public_id} · {one.get_trigger_display()}",
        "reason": one.decline_code,
        "url": payment_url(one.purchase),
    }


def _skip(one: ReloadSkip) -> dict[str, Any]:
    return {
        "what": _("Auto-reload made no charge"),
        "detail": _("%(available)s of %(threshold)s were available")
        % {"available": one.available, "threshold": plural_credits(one.threshold)},
        "reason": str(REASONS[SkipReason(one.reason)]),
    }


def _event(one: WebhookEvent) -> dict[str, Any]:
    return {
        "what": one.kind,
        "detail": f"{one.stripe_id} · {one.subject.stripe_object_id}",
        "reason": one.outcome or one.subject.last_error,
        "url": reverse("billing:staff_inbox_subject", args=[one.subject_id]),
    }


def _action(one: AuditEvent) -> dict[str, Any]:
    names = sorted({*one.before, *one.after})
    changes = (
        Change(
            name.replace("_", " "),
            _said(one.before.get(name)),
            _said(one.after.get(name)),
        )
        for name in names
    )
    return {
        "what": one.action,
        "detail": one.target,
        "url": search_url(one.target),
        "who": one.actor,
        "reason": one.reason,
        "changes": tuple(changes),
    }


def _notice(one: Notice) -> dict[str, Any]:
    waits = one.last_error or _("not sent yet")
    lost = _("Not delivered: %(error)s") % {"error": one.last_error}
    return {
        "what": one.subject,
        "detail": one.recipient,
        "reason": "" if one.sent_at else lost if one.given_up_at else waits,
    }


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _events(account: Account) -> QuerySet[WebhookEvent]:
    """Return what Stripe told of the objects that are known to be an account's."""
    ids = account.purchases.values("stripe_session_id").union(
        account.purchases.values("stripe_payment_intent_id"),
        account.subscriptions.values("stripe_subscription_id"),
        account.invoices.values("stripe_invoice_id"),
        account.invoices.values("stripe_payment_intent_id"),
        account.refunds.values("stripe_refund_id"),
        account.disputes.values("stripe_dispute_id"),
        account.fraud_warnings.values("stripe_warning_id"),
        account.debt_payments.values("stripe_session_id"),
        Customer.objects.filter(account=account).values("stripe_customer_id"),
        all=True,
    )
    told = WebhookEvent.objects.filter(subject__stripe_object_id__in=ids)
    return told.select_related("subject").defer("payload")


_OF_PAYMENTS = ("purchase__account", "invoice__account", "debt_payment__account")

# In the order of their ranks: at one instant the last is shown first.
TABLES: tuple[Table, ...] = (
    Table(
        Family.PAYMENTS,
        "opened_at",
        lambda account: account.purchases.select_related("buyer", "account"),
        _purchase,
    ),
    Table(
        Family.PAYMENTS,
        "created_at",
        lambda account: account.invoices.select_related("account"),
        _invoice,
    ),
    Table(
        Family.PAYMENTS,
        "asked_at",
        lambda account: account.refunds.select_related("requested_by", *_OF_PAYMENTS),
        _refund,
    ),
    Table(Family.PAYMENTS, "opened_at", lambda a: a.disputes.all(), _dispute),
    Table(Family.PAYMENTS, "opened_at", lambda a: a.fraud_warnings.all(), _warning),
    Table(
        Family.PAYMENTS,
        "opened_at",
        lambda account: account.debt_payments.select_related("payer", "account"),
        _debt_payment,
    ),
    Table(
        Family.PAYMENTS,
        "began_at",
        lambda account: account.reloads.select_related("purchase__account"),
        _reload,
    ),
    Table(Family.PAYMENTS, "skipped_at", lambda a: a.reload_skips.all(), _skip),
    Table(Family.WEBHOOKS, "received_at", _events, _event),
    Table(
        Family.ACTIONS,
        "occurred_at",
        lambda account: AuditEvent.objects.filter(account_id=account.pk),
        _action,
    ),
    Table(
        Family.NOTICES,
        "created_at",
        lambda account: account.notices.defer("text", "html"),
        _notice,
    ),
)
