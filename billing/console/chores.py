"""What runs by itself: each kind of row that some task of the timetable finds due.

A chore is late when one of its rows has waited longer than its bar: then the task does
not run, fails, or has too much to do. Rows come longest due first, as the task takes
them, so that the first thousand say enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.models import Notice
from billing import card_expiry
from billing.finance import closing
from billing.models import (
    STUCK_AFTER,
    AutoReload,
    BatchState,
    BulkFile,
    ClosedMonth,
    DebtPayment,
    Dispute,
    Export,
    ExportState,
    FreeVideoNews,
    MakeGood,
    OfferDraft,
    PlanChange,
    Purchase,
    Reconciliation,
    Refund,
    Reload,
    Subscription,
    WebhookSubject,
)
from billing.outgoing import sending
from billing.plans import renewing
from billing.reloads import reloading
from billing.subscriptions import notices as plan_notices
from credits.models import DraftState, ExpiryWatch, RateDraft, Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import Model, QuerySet
    from django.db.models.expressions import Combinable
    from django.utils.functional import Promise

# More are not counted.
MOST = 1_000
_EACH_RUN = timedelta(minutes=1)
_TWO_HOURS, _DAY = timedelta(hours=2), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Chore:
    """One kind of thing that `task` does without anybody asking.

    `rows` finds what waits at an instant, longest due first; `since` is made of a row's
    fields. `effect` completes “If late:” by what customers notice. `desk` is the name
    of the page that shows the rows, if there is one.
    """

    name: str
    task: str
    label: Promise
    effect: Promise
    rows: Callable[[datetime], QuerySet[Model]]
    since: Combinable
    bar: timedelta = STUCK_AFTER
    desk: str = ""


def _due(model: type[Model], field: str) -> Callable[[datetime], QuerySet[Model]]:
    """Find rows by the field that says when they are due."""

    def rows(at: datetime) -> QuerySet[Model]:
        return model._default_manager.filter(**{f"{field}__lte": at}).order_by(field)

    return rows


def _open(
    model: type[Model], *, by: str = "pk", **where: object
) -> Callable[[datetime], QuerySet[Model]]:
    """Find rows by their state: they are due from the start."""
    return lambda _at: model._default_manager.filter(**where).order_by(by)


def _short_accounts(at: datetime) -> QuerySet[Model]:
    short = reloading.short_accounts(limit=MOST + 1)
    seen = Q(looked_at__gt=at - _EACH_RUN)
    unseen = AutoReload.objects.filter(~seen, account__in=short)
    return unseen.order_by(F("looked_at").asc(nulls_first=True))


def _failed_comparisons(_at: datetime) -> QuerySet[Model]:
    good = Reconciliation.objects.filter(finished_at__isnull=False, error="")
    last_good = Subquery(good.order_by("-pk").values("pk")[:1])
    return Reconciliation.objects.filter(pk__gt=Coalesce(last_good, 0)).order_by("pk")


def _unfinished_exports(at: datetime) -> QuerySet[Model]:
    is_left = Q(state=ExportState.RUNNING, lease_ends_at__lte=at)
    nobodys = Export.objects.filter(Q(state=ExportState.ASKED) | is_left)
    return nobodys.order_by("asked_at", "pk")


_SWEEP = "billing.tasks.sweep"
CHORES = (
    Chore(
        "inbox",
        _SWEEP,
        _("What Stripe told"),
        _("payments, plans and refunds look as they did before."),
        lambda _at: WebhookSubject.objects.due().order_by("next_attempt_at"),
        F("due_since"),
        desk="billing:staff_inbox",
    ),
    Chore(
        "purchases",
        _SWEEP,
        _("Purchases without an answer"),
        _("what was paid brings its credits only when the buyer comes back."),
        _due(Purchase, "next_check_at"),
        F("next_check_at"),
    ),
    Chore(
        "short_accounts",
        _SWEEP,
        _("Accounts below their auto-reload threshold"),
        _("jobs are refused although a reload was agreed to."),
        _short_accounts,
        Coalesce("looked_at", "changed_at"),
    ),
    Chore(
        "reloads",
        _SWEEP,
        _("Auto-reloads to go on with"),
        _("a card is not charged, or its payment brings no credits."),
        _due(Reload, "next_attempt_at"),
        F("next_attempt_at"),
    ),
    Chore(
        "subscriptions",
        _SWEEP,
        _("Plans that Stripe was silent about"),
        _("a renewal or an end that no webhook told of is not seen."),
        _due(Subscription, "next_check_at"),
        F("next_check_at"),
    ),
    Chore(
        "plan_changes",
        _SWEEP,
        _("Changes of plan without an answer"),
        _("a change that was asked for stays open."),
        _due(PlanChange, "next_check_at"),
        F("next_check_at"),
    ),
    Chore(
        "refunds",
        _SWEEP,
        _("Refunds without an answer"),
        _("customers do not see whether their money is on its way."),
        _due(Refund, "next_check_at"),
        F("next_check_at"),
        desk="billing:staff_refunds",
    ),
    Chore(
        "disputes",
        _SWEEP,
        _("Disputes to ask about"),
        _("credits stay frozen after the bank has decided."),
        _due(Dispute, "next_check_at"),
        F("next_check_at"),
        desk="billing:staff_disputes",
    ),
    Chore(
        "debt_payments",
        _SWEEP,
        _("Payments of owed credits without an answer"),
        _("what was paid is still owed."),
        _due(DebtPayment, "next_check_at"),
        F("next_check_at"),
    ),
    Chore(
        "offers",
        _SWEEP,
        _("Published offers without a price at Stripe"),
        _("nobody can take the new version of a plan, or of blocks."),
        _open(OfferDraft, state=DraftState.PUBLISHED, priced_at=None),
        F("closed_at"),
        desk="billing:staff_catalogue",
    ),
    # Whose 30 days had begun before they were known look late until the next sweep.
    Chore(
        "renewals",
        _SWEEP,
        _("Renewals to tell of"),
        _("a year renews less than 30 days after its e-mail."),
        lambda at: plan_notices.renewals_to_tell(at=at),
        F("paid_until") - plan_notices.RENEWAL_AHEAD,
        bar=_DAY,
    ),
    Chore(
        "cards",
        _SWEEP,
        _("Cards that end soon, to tell of"),
        _("a card ends less than 30 days after its e-mail."),
        lambda at: card_expiry.cards_to_tell(at=at),
        F("expires_at") - card_expiry.TOLD_AHEAD,
        bar=_DAY,
    ),
    Chore(
        "cycles",
        "billing.tasks.grant_cycles",
        _("Paid months to grant"),
        _("months that were paid for bring no credits."),
        lambda at: renewing.due_cycles(at=at),
        F("starts_at"),
    ),
    Chore(
        "notices",
        "accounts.tasks.send_due_notices",
        _("E-mails to send"),
        _("receipts, warnings and invitations do not arrive."),
        _open(Notice, by="next_attempt_at", sent_at=None, given_up_at=None),
        F("created_at"),
    ),
    Chore(
        "deliveries",
        "billing.tasks.send_webhooks",
        _("Webhooks to the product's backend"),
        _("the product knows balances and plans as they were."),
        lambda at: sending.due_deliveries(at=at),
        F("next_attempt_at"),
        desk="billing:staff_webhooks",
    ),
    Chore(
        "expiries",
        "credits.tasks.expire_due_grants",
        _("Credits and holds past their end"),
        _("nothing; pages and jobs do not count them, only their entries are missing."),
        _due(Wallet, "next_expiry_at"),
        F("next_expiry_at"),
    ),
    Chore(
        "alerts",
        "credits.tasks.raise_alerts",
        _("Low balances and expiries to look for"),
        _("nobody is warned."),
        lambda at: ExpiryWatch.objects.filter(told_until__lte=at - _EACH_RUN).order_by(
            "told_until"
        ),
        F("told_until"),
    ),
    Chore(
        "rate_changes",
        "credits.tasks.tell_rate_changes",
        _("New rates to tell of"),
        _("jobs cost more before those who pay for them have heard."),
        _open(RateDraft, told_up_to__isnull=False),
        F("closed_at"),
        bar=_TWO_HOURS,
        desk="billing:staff_catalogue",
    ),
    Chore(
        "free_videos",
        "billing.tasks.tell_free_videos",
        _("New offers of free videos to spread"),
        _("accounts on Free have the number of before."),
        lambda at: FreeVideoNews.objects.filter(
            told_up_to__isnull=False, offer__starts_at__lte=at
        ).order_by("pk"),
        F("offer__starts_at"),
        bar=_TWO_HOURS,
    ),
    Chore(
        "adjustment_files",
        "billing.tasks.carry_out_batches",
        _("Adjustment files under way"),
        _("credits that were agreed on do not move."),
        _open(BulkFile, state=BatchState.APPROVED),
        Coalesce("decided_at", "proposed_at"),
        bar=_TWO_HOURS,
        desk="billing:staff_bulk_files",
    ),
    Chore(
        "make_goods",
        "billing.tasks.carry_out_batches",
        _("Make-goods under way"),
        _("what an incident cost is not given back."),
        _open(MakeGood, state=BatchState.APPROVED),
        Coalesce("decided_at", "proposed_at"),
        bar=_TWO_HOURS,
        desk="billing:staff_make_goods",
    ),
    Chore(
        "comparisons",
        "billing.tasks.reconcile",
        _("Comparisons with Stripe since the last good one"),
        _("what differs from Stripe, or was missed, is not found."),
        _failed_comparisons,
        F("asked_at"),
        bar=_TWO_HOURS,
        desk="billing:staff_reconciliation",
    ),
    Chore(
        "exports",
        "billing.tasks.look_after_exports",
        _("Exports to make"),
        _("nothing; staff wait for their files."),
        _unfinished_exports,
        Coalesce("lease_ends_at", "asked_at"),
    ),
    Chore(
        "export_files",
        "billing.tasks.look_after_exports",
        _("Files of exports to delete"),
        _("nothing; what they hold is kept longer than was said."),
        lambda at: Export.objects.filter(
            state=ExportState.READY, expires_at__lte=at
        ).order_by("expires_at", "pk"),
        F("expires_at"),
    ),
    Chore(
        "months",
        "billing.tasks.seal_months",
        _("Closed months to seal"),
        _("nothing; a month's figures have no checksum yet."),
        lambda at: ClosedMonth.objects.filter(
            sealed_at=None, closed_at__lte=at - closing.SEALS_AFTER
        ).order_by("month"),
        F("closed_at") + closing.SEALS_AFTER,
        desk="billing:finance",
    ),
)
