"""`.env.example` tells of every variable that is read, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READERS = ("config/settings.py", "config/running.py", "tests/browser")
READ = re.compile(
    r"\b(?:env\.\w+|environ\.get|_free_port)\(\s*[\"']([A-Z][A-Z_]+)[\"']"
)
TOLD = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=", re.MULTILINE)
# Set by make and by build servers; nobody writes them into a file.
AMBIENT = {"MAKELEVEL", "CI"}
# What production has no use for, and where the image keeps beat's notes.
DEVELOPMENT = {
    *("ENV_FILE", "DEBUG", "STRIPE_API_BASE", "CELERY_BEAT_FILE"),
    "STAFF_STEP_UP",  # on, or production does not start
}
# Read by compose.yaml alone.
COMPOSED = {"POSTGRES_PASSWORD", "DATABASE_PASSWORD", "DATABASE_OWNER_PASSWORD"}


def read_variables(*readers: str) -> set[str]:
    files = [
        file
        for reader in readers
        for file in [ROOT / reader, *(ROOT / reader).rglob("*.py")]
        if file.is_file()
    ]
    return {name for file in files for name in READ.findall(file.read_text())}


def told_variables() -> set[str]:
    return set(TOLD.findall((ROOT / ".env.example").read_text()))


class TestEnvExample:
    def test_tells_of_exactly_what_is_read(self):
        assert told_variables() - COMPOSED == read_variables(*READERS) - AMBIENT

    def test_explains_each_variable(self):
        blocks = (ROOT / ".env.example").read_text().strip().split("\n\n")

        unexplained = [block for block in blocks if TOLD.match(block)]
        assert unexplained == []


class TestCompose:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    def test_passes_on_what_the_settings_read(self):
        passed = set(self.services["migrate"]["environment"])

        assert passed == read_variables("config/settings.py") - DEVELOPMENT

    def test_opens_no_port_but_that_of_web(self):
        assert [name for name in self.services if "ports" in self.services[name]] == [
            "web"
        ]

    def test_gives_the_owner_login_to_migrations_only(self):
        knowing = [
            name
            for name, service in self.services.items()
            if "DATABASE_OWNER_URL" in service.get("environment", {})
        ]

        assert knowing == ["migrate"]

    def test_watches_the_health_of_everything_that_stays(self):
        watched_by_image = {"web"}
        unwatched = [
            name for name in self.services if "healthcheck" not in self.services[name]
        ]

        assert set(unwatched) == watched_by_image
