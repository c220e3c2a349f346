"""What is remembered of the timetable's runs."""

from __future__ import annotations

import pytest

from accounts.last_runs import last_runs
from billing import tasks
from config.clock import real_now

pytestmark = pytest.mark.django_db
TIDY, LOOK = "billing.tasks.tidy_work_queue", "billing.tasks.look_at"


def fail(**_: object) -> None:
    raise ValueError


class TestLastRuns:
    def test_are_noted_with_their_time(self):
        began_at = real_now()
        tasks.tidy_work_queue.apply()

        run = last_runs([TIDY])[TIDY]
        assert began_at <= run.ended_at - run.took <= run.ended_at <= real_now()
        assert run.is_good

    def test_that_failed_are_told_from_the_others(self, monkeypatch):
        monkeypatch.setattr(tasks.queue, "close_what_has_rates", fail)
        tasks.tidy_work_queue.apply()

        assert not last_runs([TIDY])[TIDY].is_good

    def test_are_not_noted_of_what_nobody_scheduled(self):
        tasks.look_at.apply(kwargs={"subject_id": 0})

        assert last_runs([LOOK]) == {}

    def test_are_not_known_without_valkey(self, settings):
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:1/0",
            }
        }

        assert last_runs([TIDY]) == {}
