"""A process falls over at each point of each flow; the sweeper finishes it, once.

The points are found by running: around each commit and each request to Stripe, until
the flow ends by itself. So no point is forgotten when a flow changes.
"""

from __future__ import annotations

import os
from itertools import count

import pytest

from tests.billing.plans import Plans
from tests.faults.conftest import database_url
from tests.faults.flows import FLOWS
from tests.faults.stage import Act, Stage, run_stage
from tests.faults.world import assert_converged, pass_time, recover, served

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
# Fewer would mean that work has moved to where no switchboard stands.
LEAST_POINTS = {
    "checkout": 12,
    "purchase": 10,
    "reload": 10,
    "upgrade": 24,
    "cancel": 12,
    "refund": 8,
    "end now": 20,
    "dispute": 8,
    "month": 2,
    "expiry": 2,
}
SAMPLED = ("cancel", "end now", "dispute")


@pytest.fixture(scope="module")
def stage(django_db_setup):
    with run_stage({**os.environ, "DATABASE_URL": database_url()}) as stage:
        yield stage


def crash_at(point: int, name: str, plans: Plans, stage: Stage, url: str) -> bool:
    """Play a flow until a point, and see how it recovers; False: there is none such."""
    flow = FLOWS[name]
    pass_time(plans)
    given = flow.begin(plans)
    pass_time(plans)
    act = Act(name, given, plans.at.isoformat(), point, url)
    ending = stage.play(act)
    if ending.was_killed:
        recover(plans, flow)
    assert_converged(plans, flow, given, f"{name} {ending.point}")
    return ending.was_killed


def every_point(name: str, step: int, *where: object) -> int:
    """Crash at every `step`-th point of a flow; return the last one that it has."""
    return next(
        point - step for point in count(1, step) if not crash_at(point, name, *where)
    )


class TestCrash:
    @pytest.mark.parametrize(
        ("name", "step"),
        [
            *((name, 1) for name in FLOWS if name not in SAMPLED),
            # An odd step meets points before and after what happens. All of them
            # take too long where no money moves, or has a flow of its own.
            *((name, 3) for name in SAMPLED),
            *(pytest.param(name, 1, marks=pytest.mark.full) for name in SAMPLED),
        ],
    )
    def test_is_made_good_by_the_sweeper(self, plans, stage, name, step):
        with served(plans.wire.sandbox) as url:
            points = every_point(name, step, plans, stage, url)

        assert points >= LEAST_POINTS[name]
