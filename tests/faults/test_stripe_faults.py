"""Stripe fails at each request of each flow; what was asked for happens once."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

import pytest
import stripe

from billing import stripe_gateway
from billing.reloads import charging
from billing.stripe_gateway import StripeUnavailable
from stripe_sandbox.engine.faults import Kind
from tests.billing.plans import Plans
from tests.faults.flows import FLOWS
from tests.faults.world import assert_converged, pass_time, recover, served
from tests.stripe_wire import SandboxHTTPClient

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from stripe_sandbox.http_messages import Response
    from stripe_sandbox.sandbox import Sandbox

pytestmark = pytest.mark.django_db
# The SDK asks twice more by itself.
_TRIES = 3
PATIENCE_S = 0.3
_KEYS_ARE_KEPT, HOUR = timedelta(hours=24), timedelta(hours=1)
# Stripe repeats its own failure under the key. That a card was not charged is believed
# only once the customer's payments have been read, an hour later.
IN_DOUBT = {("reload", "500"): charging.KEY_IS_TRUSTED_FOR}
MOVES_MONEY, NOTHING_DONE = {"reload", "refund"}, {"429", "reset"}
AT_STRIPE = [name for name in FLOWS if name not in {"month", "expiry"}]


class FaultyClient(SandboxHTTPClient):
    """The n-th request fails, and so do the SDK's own attempts to repeat it."""

    def __init__(self, plans: Plans, *, fails_at: int, kind: Kind) -> None:
        super().__init__(plans.wire.sandbox)
        self._fails_at = fails_at
        self._kind = kind
        self.failed = ""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if len(self.requests) + 1 == self._fails_at:
            self.failed = f"{method.upper()} {urlsplit(url).path}"
            self._sandbox.faults.order(self._kind, on=self.failed, times=_TRIES)
        return super().request(method, url, *args, **kwargs)


def fail_at(
    request: int, name: str, kind: Kind, plans: Plans, passes: timedelta
) -> bool:
    """Play a flow whose n-th request fails, and wait; False: it made fewer."""
    flow = FLOWS[name]
    pass_time(plans)
    given = flow.begin(plans)
    pass_time(plans)
    client = FaultyClient(plans, fails_at=request, kind=kind)
    with stripe_gateway.using(client), suppress(StripeUnavailable):
        flow.act(given, plans.at)
    plans.wire.sandbox.faults.clear()
    if client.failed:
        pass_time(plans, passes)
        recover(plans, flow)
    where, is_late = f"{name} {kind} {request} {client.failed}", passes > timedelta()
    assert_converged(plans, flow, given, where, is_late=is_late)
    return bool(client.failed)


def fail_everywhere(name: str, kind: Kind, plans: Plans, *, passes=timedelta()) -> int:
    """Let each request of a flow fail once; return how many there are."""
    return next(
        request - 1
        for request in count(1)
        if not fail_at(request, name, kind, plans, passes)
    )


class SlowSandbox:
    """Does what it is asked at once, and says so when nobody waits any more."""

    def __init__(self, sandbox: Sandbox, *, on: str) -> None:
        self._sandbox = sandbox
        self._on = on

    def handle(self, method: str, target: str, *rest: Any) -> Response:
        answer = self._sandbox.handle(method, target, *rest)
        if f"{method} {target}" == self._on:
            time.sleep(2 * PATIENCE_S)
        return answer


def faults() -> list[ParameterSet]:
    """Every kind for every flow; those that did nothing at Stripe mostly in full runs.

    The portal cannot tell them from the others, so they are the least of the risk; the
    flows that move money without a page meet all kinds always.
    """
    return [
        pytest.param(
            *(name, kind),
            marks=[pytest.mark.full]
            if kind in NOTHING_DONE and name not in MOVES_MONEY
            else [],
        )
        for name in AT_STRIPE
        for kind in get_args(Kind)
    ]


class TestFault:
    @pytest.mark.parametrize(("name", "kind"), faults())
    def test_is_made_good_by_the_sweeper(self, plans, name, kind):
        passes = IN_DOUBT.get((name, kind), timedelta())

        assert fail_everywhere(name, kind, plans, passes=passes) > 0

    @pytest.mark.parametrize("name", AT_STRIPE)
    def test_is_made_good_when_stripe_has_forgotten_the_key(self, plans, name):
        kind: Kind = "timeout_after_commit"

        assert fail_everywhere(name, kind, plans, passes=_KEYS_ARE_KEPT + HOUR) > 0

    @pytest.mark.parametrize(
        ("name", "on"),
        [("reload", "POST /v1/payment_intents"), ("refund", "POST /v1/refunds")],
    )
    def test_of_an_answer_that_comes_too_late(self, plans, settings, name, on):
        flow = FLOWS[name]
        pass_time(plans)
        given = flow.begin(plans)
        client = stripe.RequestsClient(timeout=PATIENCE_S)

        with served(SlowSandbox(plans.wire.sandbox, on=on)) as url:
            settings.STRIPE_API_BASE = url
            with stripe_gateway.using(client), suppress(StripeUnavailable):
                flow.act(given, plans.at)
        assert flow.came_of(plans, given) != flow.done
        recover(plans, flow)

        assert_converged(plans, flow, given, name)
