"""The peer: django-hordak, in an environment and a database of its own.

This file is run twice: here, to prepare and to ask, and by the peer's own Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.lab import Lab

DATABASE = "hordak"
_PACKAGES = ("django-hordak==2.0.0", "psycopg[binary]==3.3.*")


class NotInstallable(RuntimeError):
    """The peer could not be fetched from its registry."""


def install(lab: Lab) -> None:
    """Install the peer beside the data of the run, and migrate its database.

    Raises:
        NotInstallable: the registry does not answer, or does not have it.
    """
    environment = _directory(lab)
    try:
        for command in (
            [sys.executable, "-m", "venv", str(environment)],
            [str(environment / "bin" / "pip"), "install", "--quiet", *_PACKAGES],
        ):
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as failure:
        raise NotInstallable(str(failure)) from failure
    lab.admin.execute(f"CREATE DATABASE {DATABASE} OWNER purser".encode())
    _ask(lab, 0)


def transfers_each_second(lab: Lab, seconds: float) -> float:
    """Return how many transfers the peer makes, one after the other."""
    return _ask(lab, seconds)


def _directory(lab: Lab) -> Path:
    return lab.directory / "hordak"


def _ask(lab: Lab, seconds: float) -> float:
    done = subprocess.run(  # noqa: S603
        [
            str(_directory(lab) / "bin" / "python"),
            __file__,
            str(lab.port),
            str(seconds),
        ],
        env={"PATH": os.environ.get("PATH", "")},
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(done.stdout)


def _answer(port: str, seconds: float) -> float:
    import django  # noqa: PLC0415 - the peer's own
    from django.conf import settings  # noqa: PLC0415

    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "NAME": DATABASE,
        "USER": "purser",
    }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak"],
        CURRENCIES=["USD"],
        DEFAULT_CURRENCY="USD",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from hordak.models import (  # type: ignore[import-not-found] # noqa: PLC0415
        Account,
        AccountType,
    )
    from moneyed import Money  # type: ignore[import-not-found] # noqa: PLC0415

    if not seconds:
        call_command("migrate", verbosity=0)
        for name in ("wallet", "usage"):
            Account.objects.create(
                name=name, type=AccountType.liability, currencies=["USD"]
            )
        return 0
    wallet, usage = Account.objects.order_by("pk")
    one = Money(1, "USD")
    wallet.transfer_to(usage, one)  # the first call loads what later ones use
    started, done = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        usage.transfer_to(wallet, one)
        done += 1
    return done / (time.monotonic() - started)


if __name__ == "__main__":
    print(_answer(sys.argv[1], float(sys.argv[2])))
