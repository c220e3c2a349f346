"""The portal and its Stripe around an interrupted flow: time, sweeper and verdict."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

from billing import tasks
from billing.finance import stripe_balance
from billing.reconciling import reading
from billing.reconciling.comparing import SETTLES_WITHIN, differences
from config import clock
from credits import audits
from credits import tasks as credit_tasks
from stripe_sandbox.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stripe_sandbox.sandbox import Sandbox
    from tests.billing.plans import Plans
    from tests.faults.flows import Flow, Given

# The longest lease of what is asked again: a refund's, and a key of each attempt.
_TICK = timedelta(minutes=6)
_TICKS = 2


def pass_time(plans: Plans, passes: timedelta = timedelta()) -> None:
    """Let both clocks go on, the portal's and Stripe's."""
    plans.at += passes
    plans.wire.at(plans.at)
    clock.set_offset(plans.at - clock.real_now())


def recover(plans: Plans, flow: Flow) -> None:
    """Do what happens by itself after a fall: two ticks, and no manual step."""
    if flow.is_told_again:
        plans.hear()
    for _ in range(_TICKS):
        pass_time(plans, _TICK)
        tasks.sweep()
        tasks.bring_what_was_paid()
        tasks.grant_cycles()
        credit_tasks.expire_due_grants()


def assert_converged(
    plans: Plans, flow: Flow, given: Given, where: str, *, is_late: bool = False
) -> None:
    """The flow is done, once, or was never begun; and the books agree with Stripe's.

    One that is late may have been given up instead, if nothing had happened.
    """
    came_of = flow.came_of(plans, given)
    allowed = [flow.done, flow.nothing, flow.given_up if is_late else None]
    assert came_of in allowed, f"{where}: {came_of}"
    pass_time(plans, SETTLES_WITHIN)
    books = reading.read(None)
    stripe_balance.keep(books.movements, at=plans.at)
    wrong = [*audits.verify(), *differences(books, at=plans.at)]
    assert not wrong, f"{where}: {wrong}"


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    """Let a sandbox of this process be reached by others; yield its address."""
    server = Server("127.0.0.1", 0, sandbox)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
