"""What is installed is what was meant."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LOCKS = ("requirements.txt", "requirements-dev.txt")
PINNED = re.compile(r"^([a-z0-9-]+(?:\[[a-z,-]+\])?)==\S+", re.MULTILINE)


def pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().split("\n")
    return dict(line.split(" ")[0].split("==") for line in lines if PINNED.match(line))


@pytest.mark.parametrize("lock", LOCKS)
class TestLock:
    def test_has_hashes_for_each_package(self, lock):
        blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text().strip())

        assert [block for block in blocks if "--hash=sha256:" not in block] == []

    def test_names_no_address(self, lock):
        assert "://" not in (ROOT / lock).read_text()


class TestLocks:
    def test_agree_with_each_other(self):
        everywhere, tools = (pinned(lock) for lock in LOCKS)

        assert everywhere.items() <= tools.items()

    def test_hold_every_dependency(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = {re.match(r"[a-z0-9-]+", line)[0] for line in project["dependencies"]}

        assert wanted <= {name.partition("[")[0] for name in pinned(LOCKS[0])}
