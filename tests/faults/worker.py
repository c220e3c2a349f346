"""A Celery worker that is killed at a chosen moment, or lives some minutes later.

`python -m tests.faults.worker [--dies MOMENT] [--minutes-later N]`: the hooks are put
in from here, so that the portal has none.
"""

from __future__ import annotations

import argparse
import os
import signal
from datetime import timedelta
from enum import StrEnum


class Moment(StrEnum):
    """When somebody pulls the plug, between “paid” and “granted” or just after."""

    FETCHED = "Stripe has said that it is paid"
    GRANTED = "the grant is written, but not committed"
    COMMITTED = "the grant is committed, but the task is not acknowledged"


def main() -> None:
    """Run the worker as `make run` does, with one thread."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dies", type=Moment, choices=Moment)
    parser.add_argument("--minutes-later", type=int, default=0)
    options = parser.parse_args()
    _move_clock(timedelta(minutes=options.minutes_later))
    if options.dies:
        _prepare_end(options.dies)

    from config.celery import app

    one_thread = ("--pool", "threads", "--concurrency", "1")
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    app.worker_main(["worker", *one_thread, *alone])


def _move_clock(ahead: timedelta) -> None:
    # First of all: everybody else imports the function itself.
    from config import clock

    real_now = clock.now
    clock.now = lambda: real_now() + ahead


def _prepare_end(moment: Moment) -> None:
    # The inbox's handlers keep the gateway's function from the set-up on.
    from billing import stripe_gateway

    if moment is Moment.FETCHED:
        _after(stripe_gateway, "checkout_session", _die_if_paid)

    import django

    django.setup()

    from credits import ledger

    if moment is Moment.GRANTED:
        _after(ledger, "grant", _die)
    if moment is Moment.COMMITTED:
        _after(ledger, "grant", _die_after_task)


def _after(module, name, then):
    real = getattr(module, name)

    def call(*args, **kwargs):
        outcome = real(*args, **kwargs)
        then(outcome)
        return outcome

    setattr(module, name, call)


def _die_if_paid(session) -> None:
    if session.is_paid:
        _die()


def _die_after_task(_outcome) -> None:
    # Sent once the task has returned; tasks here are acknowledged after that.
    from celery.signals import task_postrun

    task_postrun.connect(_die, weak=False)


def _die(*_args, **_kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
