"""Commands find the servers of `make run`, and only while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from stat import S_IMODE

import pytest
from django.conf import settings

from config import beside


@pytest.fixture
def file(tmp_path):
    return tmp_path / "environment.json"


class TestTold:
    def test_leads_to_the_servers_of_the_run(self, file):
        run = {"DATABASE_URL": "postgres://purser@/somewhere", "ENVIRONMENT": "x"}

        with beside.told(run | {"HOME": "mine"}, file):
            assert beside.environment_beside(file) == run

    def test_is_for_nobody_else(self, file):
        file.write_text("left by a run that was killed")

        with beside.told({"ENVIRONMENT": "development"}, file):
            assert S_IMODE(file.stat().st_mode) == 0o600

    def test_ends_with_the_run(self, file):
        with beside.told({}, file):
            pass

        with pytest.raises(FileNotFoundError):
            beside.environment_beside(file)


class TestCommand:
    def test_runs_on_the_data_of_the_run(self, tmp_path):
        """With this test's own servers in the place of a run."""
        done = run("diffsettings", file=tmp_path / "var", told=dict(os.environ))

        assert done.returncode == 0, done.stderr
        assert "IS_PRODUCTION = False" in done.stdout

    def test_says_how_to_start_what_does_not_run(self, tmp_path):
        done = run("check", file=tmp_path / "nothing", told=None)

        assert done.returncode == 1
        assert "`make run` starts it" in done.stderr


def run(command: str, *, file, told: dict[str, str] | None):
    program = (
        "import sys; from pathlib import Path; from config import beside;"
        " beside.main([sys.argv[2]], Path(sys.argv[1]))"
    )
    arguments = [sys.executable, "-c", program, str(file), command]
    if told is None:
        return ended(arguments)
    with beside.told(told, file):
        return ended(arguments)


def ended(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    names = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENVIRONMENT"}
    bare = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        arguments,
        cwd=settings.BASE_DIR,
        env=bare | {"ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
