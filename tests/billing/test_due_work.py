"""What has to happen by itself: seen when it is late, and gone when it is done."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from billing.console import due_work
from billing.console.chores import CHORES
from billing.console.due_work import DueWork
from billing.management.commands import due_work as command
from config import clock
from tests.billing.overdue import MINUTE, OVERDUE, World, notices
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
# They look without a row that says so: at Stripe's latest payments, at rates that came
# meanwhile, and at the entries of busy wallets, which change no figure.
WITHOUT_ROWS = {
    "billing.tasks.bring_what_was_paid",
    "billing.tasks.tidy_work_queue",
    "credits.tasks.add_usage_up",
}


@pytest.fixture
def world(wire, business, alice) -> World:
    return World(wire, business, alice)


def of(name: str, *, at) -> DueWork:
    [due] = [one for one in due_work.due_work(at=at) if one.chore.name == name]
    return due


class TestChores:
    @pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.name)
    def test_are_late_beyond_their_bar_until_their_task_has_run(self, world, chore):
        assert of(chore.name, at=NOW).number == 0
        since = OVERDUE[chore.name](world)
        late_at = since + chore.bar + SECOND

        on_time, late = of(chore.name, at=since + chore.bar), of(chore.name, at=late_at)
        clock.set_offset(late_at - clock.real_now())
        import_string(chore.task)()

        assert (on_time.number, on_time.is_late) == (1, False)
        assert (late.number, late.oldest, late.is_late) == (
            *(1, chore.bar + SECOND),
            True,
        )
        assert not of(chore.name, at=late_at).is_late

    def test_have_names_of_their_own(self):
        assert len({chore.name for chore in CHORES}) == len(CHORES)

    def test_are_known_of_each_task_of_the_timetable(self):
        timetable = {one.task for one in due_work.timetable()}

        assert timetable - WITHOUT_ROWS == {chore.task for chore in CHORES}

    def test_watch_each_field_that_says_when_a_row_is_due(self):
        due = {
            f"{model.__name__}.{field.name}"
            for model in apps.get_models()
            for field in model._meta.fields
            if re.fullmatch(r"next_\w+_at", field.name)
        }
        watched = {
            f"{rows.model.__name__}.{rows.query.order_by[0]}"
            for rows in (chore.rows(NOW) for chore in CHORES)
        }

        assert due - watched == set()


class TestDueWork:
    def test_is_read_at_once(self, business, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            due_work.due_work(at=NOW)

    def test_is_counted_up_to_a_thousand(self, world, monkeypatch):
        monkeypatch.setattr(due_work, "MOST", 1)
        for number in range(3):
            notices(world, key=f"test:{number}")

        assert of("notices", at=NOW).number == 2


class TestCommand:
    """`manage.py due_work`, for whoever watches from outside."""

    def test_says_what_waits(self, world, monkeypatch, capsys):
        monkeypatch.setattr(command, "now", lambda: NOW + 2 * MINUTE)
        notices(world)

        call_command("due_work")

        assert "notices: 1, 0:02:00, on time" in capsys.readouterr().out

    def test_ends_with_1_while_something_is_late(self, world, monkeypatch, capsys):
        monkeypatch.setattr(command, "now", lambda: NOW + 16 * MINUTE)
        notices(world)

        with pytest.raises(CommandError, match="1 background jobs") as ended:
            call_command("due_work")

        assert ended.value.returncode == 1
        assert "notices: 1, 0:16:00, LATE" in capsys.readouterr().out
