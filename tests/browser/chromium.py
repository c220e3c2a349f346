"""Finds the browser of the browser tests; run as a program, installs a missing one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """Return the program: the one that is named, an installed one, Playwright's own."""
    if named := os.environ.get("PURSER_CHROMIUM"):
        return named
    if installed := next(filter(None, map(shutil.which, NAMES)), None):
        return installed
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if os.path.exists(own) else None


def install() -> None:
    """Try to get one: from Playwright, with its libraries when root may add them."""
    playwright = [sys.executable, "-m", "playwright", "install"]
    libraries = ["--with-deps"] if os.geteuid() == 0 else []
    subprocess.run([*playwright, *libraries, "chromium"], check=False)
    if not find() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)  # noqa: S607
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "chromium"],  # noqa: S607
            check=False,
        )


def main() -> int:
    """Say which browser the tests will drive; without one fail where CI is set."""
    if not find():
        install()
    if program := find():
        sys.stdout.write(f"Browser tests drive {program}.\n")
        return 0
    sys.stderr.write(
        "NO BROWSER: browser tests are skipped. Install Chromium, or name one with "
        "PURSER_CHROMIUM.\n"
    )
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
