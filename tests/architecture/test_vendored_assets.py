"""Files of others under static/vendor are the ones that the manifest names."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from accounts.desks import desks_for
from accounts.roles import StaffPermission

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
SPRITE = VENDOR / "tabler-icons" / "sprite.svg"
OWN_PAPERS = {"README.md", "manifest.toml"}

PACKAGES = tomllib.loads((VENDOR / "manifest.toml").read_text())["package"]
NAMED_FILES = {
    path: digest for package in PACKAGES for path, digest in package["files"].items()
}
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLESHEETS = sorted(STATIC.rglob("*.css"))

_ICON = re.compile(r"_icon\.html\" with name=\"([\w-]+)\"|\bicon=\"([\w-]+)\"")
_URL = re.compile(r"""url\(["']?(?!data:)([^"')]+)""")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def icons_named_in(template: Path) -> set[str]:
    matches = _ICON.findall(template.read_text())
    return {name for match in matches for name in match if name}


class TestManifest:
    def test_names_every_file_that_is_there(self):
        files = (path for path in VENDOR.rglob("*") if path.is_file())
        present = {str(path.relative_to(VENDOR)) for path in files}

        assert present - OWN_PAPERS == set(NAMED_FILES)

    @pytest.mark.parametrize("path", sorted(NAMED_FILES))
    def test_holds_the_hash_of_the_file(self, path):
        digest = hashlib.sha256((VENDOR / path).read_bytes()).hexdigest()

        assert digest == NAMED_FILES[path]

    @pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
    def test_says_where_a_package_is_from_and_keeps_its_license(self, package):
        folders = {Path(path).parent for path in package["files"]}

        assert {"source", "version", "license", "taken"} <= set(package)
        assert {str(folder / "LICENSE") for folder in folders} <= set(package["files"])


class TestIcons:
    @pytest.mark.parametrize("template", TEMPLATES, ids=relative)
    def test_a_template_names_only_symbols_of_the_sprite(self, template):
        symbols = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text()))

        assert icons_named_in(template) - symbols == set()

    def test_a_desk_of_the_console_has_one_of_them(self):
        symbols = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text()))

        desks = desks_for(frozenset(StaffPermission))

        assert {desk.icon for desk in desks} - symbols == set()


class TestStylesheets:
    @pytest.mark.parametrize("stylesheet", STYLESHEETS, ids=relative)
    def test_every_address_is_a_file_of_ours(self, stylesheet):
        addresses = _URL.findall(stylesheet.read_text())

        missing = [url for url in addresses if not (stylesheet.parent / url).is_file()]
        assert missing == []

    @pytest.mark.parametrize("stylesheet", STYLESHEETS, ids=relative)
    def test_names_no_source_map(self, stylesheet):
        assert "sourceMappingURL" not in stylesheet.read_text()
