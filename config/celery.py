"""The Celery application: its queues and THE timetable.

The database is the guarantee and Celery the accelerator: every task only makes
something happen sooner that a sweeper would find anyway.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.signals import setup_logging, task_postrun, task_prerun
from celery.states import SUCCESS
from django.conf import settings
from django.db import transaction
from django_structlog.celery.steps import DjangoStructLogInitStep

from accounts import last_runs
from config.clock import real_now

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Nudge(DjangoTask[Any, Any]):
    """A task whose sending may fail: what it would do is a row that is due anyway."""

    def delay_on_commit(  # type: ignore[override]  # as the class itself, not its stub
        self, *args: object, **kwargs: object
    ) -> None:
        """Send the task after the commit; without a broker the sweeper does it."""

        # Not a partial: Django names the function when it logs its failure.
        def send() -> None:
            self.delay(*args, **kwargs)

        transaction.on_commit(send, robust=True)


app = Celery("purser", task_cls=Nudge)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_publish_retry=False,
    task_default_queue="default",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 300, "socket_connect_timeout": 2},
    timezone="UTC",
    beat_schedule={
        "billing.sweep": {
            "task": "billing.tasks.sweep",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "billing.grant_cycles": {
            "task": "billing.tasks.grant_cycles",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "billing.tell_free_videos": {
            "task": "billing.tasks.tell_free_videos",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "billing.reconcile": {
            "task": "billing.tasks.reconcile",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "billing.bring_what_was_paid": {
            "task": "billing.tasks.bring_what_was_paid",
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "billing.seal_months": {
            "task": "billing.tasks.seal_months",
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "billing.send_webhooks": {
            "task": "billing.tasks.send_webhooks",
            "schedule": timedelta(seconds=10),
            "options": {"expires": 10},
        },
        "billing.tidy_work_queue": {
            "task": "billing.tasks.tidy_work_queue",
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "billing.look_after_exports": {
            "task": "billing.tasks.look_after_exports",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "billing.carry_out_batches": {
            "task": "billing.tasks.carry_out_batches",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "accounts.send_due_notices": {
            "task": "accounts.tasks.send_due_notices",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "credits.expire_due_grants": {
            "task": "credits.tasks.expire_due_grants",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "credits.add_usage_up": {
            "task": "credits.tasks.add_usage_up",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "credits.tell_rate_changes": {
            "task": "credits.tasks.tell_rate_changes",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
        "credits.raise_alerts": {
            "task": "credits.tasks.raise_alerts",
            "schedule": timedelta(seconds=60),
            "options": {"expires": 60},
        },
    },
)
_TIMED = {entry["task"] for entry in app.conf.beat_schedule.values()}
_began_at: dict[str, datetime] = {}
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@task_prerun.connect
def _follow_portal_clock(**_: object) -> None:
    """Do each task at the time that the time machine has made it."""
    if settings.IS_STRIPE_SANDBOX:
        # Models can be imported only once Django is set up.
        from billing import portal_clock  # noqa: PLC0415

        portal_clock.follow()


@task_prerun.connect
def _note_begin(task_id: str = "", **_: object) -> None:
    _began_at[task_id] = real_now()


@task_postrun.connect
def _note_end(task_id: str, task: Nudge, state: str | None, **_: object) -> None:
    """Let the desk of background jobs tell when each task of the timetable last ran."""
    ended_at = real_now()
    began_at = _began_at.pop(task_id, ended_at)
    if task.name in _TIMED:
        run = last_runs.LastRun(ended_at, ended_at - began_at, state == SUCCESS)
        last_runs.note(task.name, run)


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Leave logs to Django's LOGGING, so that every process writes the same lines."""
