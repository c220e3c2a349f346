"""Replays a vector of the work queue: what goes wrong, and what staff see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Account
from billing.models import WorkItem, WorkKind
from credits import quoting, settling
from credits.api import pricing, problems
from credits.api.schemas import LineIn
from credits.models import Hold
from tests.factories import make_account
from tests.golden.plan_replaying import PlanReplay

if TYPE_CHECKING:
    from tests.stripe_wire import StripeWire


class RefusedByApi(Exception):
    """The API answers with a problem."""

    def __init__(self, problem: problems.Problem):
        super().__init__(str(problem))
        self.status = problem.kind.status
        self.about = problem.members["errors"][0]["pointer"]


class QueueReplay(PlanReplay):
    """An account on a plan, the backend that reports its jobs, and staff who look."""

    refusals_expected = (
        *PlanReplay.refusals_expected,
        settling.HoldLapsed,
        RefusedByApi,
    )

    def __init__(self, given: dict, wire: StripeWire):
        self.queue: list[list] = []
        super().__init__(given, wire)

    def outcome(self) -> dict:
        """Return all that a vector may expect, with the queue whenever staff looked."""
        return super().outcome() | {"queue": self.queue}

    def _report(self, command: dict, call: dict) -> settling.Settled:
        """Report what a job used, as the product's backend does."""
        hold = Hold.objects.select_related("wallet").get(pk=self.holds[command["hold"]])
        return settling.charge(
            hold,
            lines=self._lines(command, version=hold.rate_version),
            idempotency_key=call["key"],
            actor="vector",
            at=self.at,
        )

    def _price(self, command: dict, _: dict) -> None:
        """Ask the API what a job would cost."""
        lines = [LineIn(feature=name, quantity=n) for name, n in command["lines"]]
        table = quoting.rates_in_force(rate_plan=self.rate_plan, at=self.at)
        try:
            pricing.priced(lines, table)
        except problems.Problem as problem:
            raise RefusedByApi(problem) from problem

    def _pay_from_elsewhere(self, command: dict, _: dict) -> None:
        """Let Stripe tell of a plan whose account cannot be found."""
        self.stranger = make_account()
        self.plans.pay_for(self.stranger, command["code"])
        Account.objects.filter(pk=self.stranger.pk).update(public_id="acc_elsewhere")
        self.plans.hear()

    def _find_account(self, _: dict, __: dict) -> None:
        self.stranger.save()  # as it was told to Stripe

    def _look_at_queue(self, _: dict, __: dict) -> None:
        """Note what waits and what is done: kind, what about, credits and state."""
        self.queue.append(
            sorted(
                [item.kind, self._about(item), item.credits, item.state]
                for item in WorkItem.objects.all()
            )
        )

    def _about(self, item: WorkItem) -> str:
        if item.kind == WorkKind.UNKNOWN_WEBHOOK:
            return item.facts["object_kind"]
        if item.kind == WorkKind.UNBILLED_JOB:
            hold_id = Hold.objects.get(public_id=item.subject).pk
            return next(name for name, known in self.holds.items() if known == hold_id)
        return item.facts["feature"]
