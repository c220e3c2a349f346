"""The portal in processes of its own: web, worker, broker and Stripe can be killed."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import redis
import stripe
from django.core.management import call_command
from django.db import connection
from kombu import Connection

from billing import stripe_gateway, tasks
from billing.plans import catalogue
from billing.webhooks.registry import subscribed_events
from config import children
from config.embedded import servers
from tests.billing.changes import tell_prices
from tests.billing.conftest import connected
from tests.billing.plans import Plans
from tests.conftest import NOW
from tests.sandbox_process import ROOT, Sandbox, free_port, run_sandbox
from tests.stripe_wire import SECRET_KEY

if TYPE_CHECKING:
    import subprocess

_PATIENCE_S = 60


@dataclass
class Portal:
    """What runs, and what can happen to it."""

    directory: Path
    sandbox: Sandbox
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_web(self) -> None:
        """Start the web process, and have Stripe send it webhooks."""
        address = f"http://127.0.0.1:{free_port()}"
        secret = stripe_gateway.ensure_webhook_endpoint(
            url=f"{address}/webhooks/stripe/", events=subscribed_events()
        )
        self.environment["STRIPE_WEBHOOK_SECRETS"] = secret or ""
        port = str(urlsplit(address).port)
        web = self._start(
            *("granian", "--interface", "wsgi", "--blocking-threads", "4"),
            *("--host", "127.0.0.1", "--port", port, "config.wsgi:application"),
        )
        answers = children.Readiness(lambda: _read(f"{address}/livez"), OSError)
        children.await_answer(web, answers, log=self._log("granian"))

    def start_worker(
        self, *, dies: str = "", minutes_later: int = 0
    ) -> subprocess.Popen[bytes]:
        """Start a worker that may be fated to die."""
        fate = ["--dies", dies] if dies else []
        later = ["--minutes-later", str(minutes_later)]
        return self._start("tests.faults.worker", *fate, *later)

    def sweep(self) -> None:
        """Send what beat sends each minute."""
        with self._broker() as broker:
            tasks.sweep.apply_async(connection=broker)

    def redeliver(self) -> None:
        """Put back what nobody acknowledged, as the broker does after some minutes."""
        with self._broker(visibility_timeout=0) as broker:
            broker.default_channel.qos.restore_visible()

    def waiting_tasks(self) -> int:
        """Count the tasks that no worker has acknowledged yet."""
        with self._valkey() as valkey:
            return valkey.llen("default") + valkey.hlen("unacked")

    def flush_valkey(self) -> None:
        """Lose everything that the broker knew."""
        with self._valkey() as valkey:
            valkey.flushall()

    def stop(self) -> None:
        """End what still runs, each when it has finished what it does."""
        while self.processes:
            children.stop(self.processes.pop())

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = children.start(
            [sys.executable, "-m", module, *arguments],
            log=self._log(module),
            directory=str(ROOT),
            environment=self.environment,
        )
        self.processes.append(process)
        return process

    def _valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.environment["REDIS_URL"])

    def _broker(self, **options: int) -> Connection:
        url = self.environment["REDIS_URL"].replace("unix://", "redis+socket://")
        return Connection(url, transport_options=options)

    def _log(self, module: str) -> Path:
        return self.directory / f"{module}.log"


@pytest.fixture
def portal(transactional_db, tmp_path, settings):
    """A portal without web and worker yet, on this test's database."""
    valkey = servers(tmp_path / "valkey", durable=False, postgres=False)
    with run_sandbox(tmp_path) as sandbox, valkey as urls:
        settings.STRIPE_API_BASE = sandbox.url
        environment = {
            **os.environ,
            **urls.as_environment(),
            "DATABASE_URL": database_url(),
            "STRIPE_API_BASE": sandbox.url,
        }
        call_command("load_catalogue", verbosity=0)
        call_command("load_rate_card", verbosity=0)
        with stripe_gateway.using(stripe.RequestsClient(timeout=15)):
            call_command("stripe_setup", verbosity=0)
            portal = Portal(tmp_path, sandbox, environment)
            yield portal
            portal.stop()


@pytest.fixture
def plans(db, settings) -> Plans:
    """Stripe on this process's own wire, knowing every price, at NOW."""
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    catalogue.publish(catalogue.read(), currency="usd")
    with connected() as wire:
        wire.at(NOW)
        tell_prices()
        yield Plans(wire)


def eventually(has_come_true) -> None:
    """Wait for something that other processes bring about."""
    deadline = time.monotonic() + _PATIENCE_S
    while not has_come_true():
        assert time.monotonic() < deadline, "It did not come true."
        time.sleep(0.05)


def database_url() -> str:
    url = urlsplit(os.environ["DATABASE_URL"])
    place = url.path.rpartition("/")[0]
    return url._replace(path=f"{place}/{connection.settings_dict['NAME']}").geturl()


def _read(url: str) -> None:
    with urlopen(url, timeout=5) as answer:  # noqa: S310
        answer.read()
