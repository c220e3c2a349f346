"""What is measured: each block yields figures, which the goals compare."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

from bench import peer
from bench.lab import ROOT, free_port
from config import children

if TYPE_CHECKING:
    from pathlib import Path

    from bench.lab import Lab

Figures = dict[str, float]  # by name; the names that goals compare


class Blocks:
    """The blocks of a run. A method yields the figures that BLOCKS names for it."""

    def __init__(self, lab: Lab, *, seconds: float) -> None:
        """Remember where and how long each block runs."""
        self._lab, self._seconds = lab, seconds
        self._port = 0
        self._web: subprocess.Popen[bytes] | None = None
        self.accepted: dict[str, int] = {}  # over HTTP, by the start of their keys

    def floors(self) -> Figures:
        """Measure what PostgreSQL does at best."""
        return {name: self._pgbench(name) for name in ("floor1", "floor5")}

    def debit(self) -> Figures:
        """Measure single debits of random wallets, and whether updates stay in-page."""
        tables = {"wallet": "credits_wallet", "grant": "credits_creditgrant"}
        before = {name: self._lab.updates(table) for name, table in tables.items()}
        figures = {"debit": self._pgbench("debit", entries_each=1)}
        for name, table in tables.items():
            all_before, in_page_before = before[name]
            all_after, in_page_after = self._lab.updates(table)
            figures[f"{name}_updates"] = all_after - all_before
            figures[f"{name}_in_page"] = in_page_after - in_page_before
        return figures

    def hold_capture(self) -> Figures:
        """Measure pairs of a hold and its capture."""
        return {"hold_capture": self._pgbench("hold_capture", entries_each=2)}

    def debit_hot(self) -> Figures:
        """Measure single debits that all want one wallet."""
        return {"debit_hot": self._pgbench("debit", entries_each=1, wallets=1)}

    def batch_hot(self) -> Figures:
        """Measure debits by the hundred, all of one wallet."""
        return {"batch_hot": self._batch("batch_one", wallets=1)}

    def batch_random(self) -> Figures:
        """Measure debits by the hundred, a wallet for each hundred."""
        return {"batch_random": self._batch("batch_one")}

    def batch_mixed(self) -> Figures:
        """Measure debits by the hundred, a wallet for each debit."""
        return {"batch_mixed": self._batch("batch_mixed")}

    def batch_mixed_200(self) -> Figures:
        """Measure the same by two hundred, the most that a call takes."""
        return {"batch_mixed_200": self._batch("batch_mixed", size=200)}

    def http(self) -> Figures:
        """Measure debits over HTTP, with their key checked, and the same by pgbench."""
        return {
            "request": self._pgbench(self._request(), entries_each=1),
            "http": self._http("random", clients=16, wallets=self._lab.wallets),
        }

    def http_hot(self) -> Figures:
        """Measure whether one busy wallet gets slower the more ask for it."""
        return {
            f"http_hot_{clients}": self._http(f"hot{clients}", clients=clients)
            for clients in (1, 64)
        }

    def django(self) -> Figures:
        """Measure what a Django process does by itself, one debit after the other."""
        from config.clock import now  # noqa: PLC0415 - they need the settings
        from credits import ledger  # noqa: PLC0415

        self._lab.runs += 1
        chance = random.Random(self._lab.runs)  # noqa: S311 - the same load each time
        started, done = time.monotonic(), 0
        while time.monotonic() - started < self._seconds:
            line = ledger.UsedLine("look", 1, 1, 1)
            wallet_id, key = chance.randint(1, self._lab.wallets), f"{started}:{done}"
            ledger.spend(ledger.Spend(wallet_id, (line,), key, "bench"), at=now())
            done += 1
        self._lab.entries += done
        return {"django": done / (time.monotonic() - started)}

    def hordak(self) -> Figures:
        """Measure the same by django-hordak, which has no grants, holds or keys."""
        return {"hordak": peer.transfers_each_second(self._lab, self._seconds)}

    def close(self) -> None:
        """End the web server, if it was started."""
        if self._web is not None:
            children.stop(self._web)

    def _request(self) -> Path:
        """Write down all that a debit over HTTP asks of the database."""
        from accounts import keys  # noqa: PLC0415 - they need the settings
        from credits.api import access  # noqa: PLC0415

        digest = keys.digest_of(self._lab.token)
        query = access.query_of_both()
        for value in (
            *("now()", "'acc_' || lpad(:wallet::text, 20, '0')", "'CREDITS'"),
            f"decode('{digest.hex() if digest else ''}', 'hex')",
        ):
            query = query.replace("%s", value, 1)
        before, call, after = (
            (ROOT / "bench" / "pgbench" / "debit.sql").read_text().partition("SELECT")
        )
        script = self._lab.directory / "request.sql"
        script.write_text(f"{before}{query};\n{call}{after}")
        return script

    def _pgbench(
        self, script: str | Path, *, wallets: int | None = None, entries_each: int = 0
    ) -> float:
        return self._lab.pgbench(
            script, seconds=self._seconds, wallets=wallets, entries_each=entries_each
        )

    def _batch(
        self, script: str, *, size: int = 100, wallets: int | None = None
    ) -> float:
        batches = self._lab.pgbench(
            script,
            seconds=self._seconds,
            clients=2,
            wallets=wallets,
            batch=size,
            entries_each=size,
        )
        return batches * size

    def _http(self, name: str, *, clients: int, wallets: int = 1) -> float:
        if self._web is None:
            self._web = self._start_web()
        self._lab.runs += 1
        name = f"{name}-{self._lab.runs}"
        done = subprocess.run(  # noqa: S603
            [
                *(sys.executable, "-m", "bench.http_load", "--name", name),
                *("--port", str(self._port), "--clients", str(clients)),
                *("--seconds", str(self._seconds), "--wallets", str(wallets)),
            ],
            cwd=ROOT,
            env={**os.environ, "TOKEN": self._lab.token},
            stdout=subprocess.PIPE,
            check=True,
        )
        outcome = json.loads(done.stdout)
        self.accepted[name] = outcome["accepted"]
        self._lab.entries += outcome["accepted"]
        return float(outcome["accepted"] / outcome["seconds"])

    def _start_web(self) -> subprocess.Popen[bytes]:
        self._port = free_port()
        log = self._lab.directory / "granian.log"
        web = children.start(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--workers", "2", "--blocking-threads", "8"),
                *("--host", "127.0.0.1", "--port", str(self._port)),
                *("--log-level", "warning", "config.wsgi:application"),
            ],
            log=log,
            directory=str(ROOT),
            environment=os.environ,
        )
        answers = children.Readiness(self._ask_web, OSError)
        children.await_answer(web, answers, log=log)
        return web

    def _ask_web(self) -> None:
        url = f"http://127.0.0.1:{self._port}/livez"
        with urlopen(url, timeout=5) as answer:
            answer.read()


# In the order in which each round runs them: limits, ours, peers.
BLOCKS: dict[str, tuple[str, ...]] = {
    "floors": ("floor1", "floor5"),
    "debit": (
        *("debit", "wallet_updates", "wallet_in_page"),
        *("grant_updates", "grant_in_page"),
    ),
    "hold_capture": ("hold_capture",),
    "http": ("request", "http"),
    "http_hot": ("http_hot_1", "http_hot_64"),
    "debit_hot": ("debit_hot",),
    "batch_hot": ("batch_hot",),
    "batch_random": ("batch_random",),
    "batch_mixed": ("batch_mixed",),
    "batch_mixed_200": ("batch_mixed_200",),
    "django": ("django",),
    "hordak": ("hordak",),
}
