"""Replays a vector of a legacy plan: brought in, and paid in premium credits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.changes import arranging, changing, previewing
from billing.models import Interval
from billing.subscriptions.legacy import RowRefused
from tests.billing.changes import confirm
from tests.billing.legacies import bring_in, end_row, pack_row, plan_row, premium_of
from tests.golden.plan_replaying import PlanReplay

if TYPE_CHECKING:
    from datetime import datetime

    from credits.models import Wallet


class LegacyReplay(PlanReplay):
    """An account that was brought in; its figures are those of premium credits."""

    refusals_expected = (*PlanReplay.refusals_expected, RowRefused)

    def _open_wallet(self, given: dict) -> Wallet:
        self.code, self.paid_since = given["plan"]["code"], given["clock"]
        self._import_plan({"ends_at": given["plan"]["paid_until"]}, {})
        for pack in given["packs"]:
            self._bring_in(pack_row(self.account, starts_at=self.paid_since, **pack))
        return premium_of(self.account)

    def _advance(self, to: datetime, command: dict) -> None:
        super()._advance(to, command)
        for change_id in arranging.due_changes(limit=9, at=to):
            arranging.look_after_change(change_id=change_id, at=to)

    def _import_plan(self, command: dict, _: dict) -> None:
        """Bring in that the plan is paid until then."""
        starts_at, ends_at = self.paid_since, command["ends_at"]
        row = plan_row(
            self.account, plan=self.code, starts_at=starts_at, ends_at=ends_at
        )
        self._bring_in(row)

    def _import_end(self, command: dict, _: dict) -> None:
        """Bring in that the plan is paid no more."""
        self._bring_in(
            end_row(self.account, plan=self.code, ends_at=command["ends_at"])
        )

    def _change(self, command: dict, _: dict) -> None:
        """See what leaving does, now or with the term, and confirm it."""
        wanted = previewing.target(
            command["code"],
            Interval.MONTH,
            at_once=command.get("at_once", False),
            at=self.at,
        )
        if wanted.at_once:
            self.plans.price_id(wanted.version, wanted.interval)
        shown = previewing.preview(self.account.pk, wanted, at=self.at)
        confirm(self.plans, self.account, self.owner, shown)

    def _pay_checkout(self, _: dict, __: dict) -> None:
        """Pay on the page that the last change led to."""
        change = changing.open_change(self.account.pk)
        self.plans.wire.pay(change.stripe_session_id)
        self.plans.hear()

    def _bring_in(self, row: dict) -> None:
        if errors := bring_in(row, at=self.at).errors:
            raise RowRefused(errors[0])
