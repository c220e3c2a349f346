"""The months of a simulation, one after the other, until something is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from billing import time_machine
from billing.core.periods import add_months
from config.clock import now
from config.simulation.comparing import differences
from config.simulation.customers import move_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.simulation.customers import Customer

_ENCOUNTERS_A_MONTH = 2
_STRIDE = timedelta(days=7)
# Nobody reads the e-mails of these customers.
_UNREAD = ("accounts.tasks.send_due_notices", "credits.tasks.raise_alerts")
# Stripe charges an hour after a term has ended; nobody is compared in between.
_SETTLED_AFTER = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. The same plan is the same story, from the same instant."""

    accounts: int
    months: int
    seed: int
    renews: bool = True

    def command(self) -> str:
        """Return how to see it again."""
        switch = "" if self.renews else " --without-renewals"
        return (
            f"manage.py simulate --accounts {self.accounts} --months {self.months}"
            f" --seed {self.seed}{switch}"
        )


def simulate(plan: Plan, *, tell: Callable[[str], object]) -> list[str]:
    """Live through the months; return what was wrong after the first bad one.

    Raises:
        CannotTravel: this is no sandbox, or somebody else moves its clock.
        StripeUnavailable: the sandbox does not answer.
        NotAtStripe, SandboxRefused: what a customer did cannot be.
    """
    began_at = now().replace(microsecond=0)
    customers = [
        move_in(number, seed=plan.seed, at=began_at) for number in range(plan.accounts)
    ]
    calendar = Random(plan.seed)  # noqa: S311 - to be repeated, not guessed
    for month in range(plan.months):
        since, until = (add_months(began_at, count) for count in (month, month + 1))
        done = _live_through(customers, calendar, since, until, plan)
        _move(until + _SETTLED_AFTER, plan)
        found = differences(at=now())
        tell(f"{until:%Y-%m-%d}: {_summary(done)}; {len(found)} differences.")
        if found:
            return found
    return []


def _live_through(
    customers: list[Customer],
    calendar: Random,
    since: datetime,
    until: datetime,
    plan: Plan,
) -> Counter[str]:
    length = until - since - _SETTLED_AFTER
    moments = sorted(calendar.random() for _ in range(_ENCOUNTERS_A_MONTH))
    done: Counter[str] = Counter()
    for moment in moments:
        at = (since + _SETTLED_AFTER + moment * length).replace(microsecond=0)
        _move(at, plan)
        done.update(one.live(at=at) for one in customers)
    return done


def _move(to: datetime, plan: Plan) -> None:
    if plan.renews:
        time_machine.travel(to=to, stride=_STRIDE, without=_UNREAD)
    else:
        time_machine.depart(to)


def _summary(done: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
