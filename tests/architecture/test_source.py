"""What no file of this repository may contain."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("accounts", "billing", "config", "credits", "stripe_sandbox")
BANNED_NAMES = {
    *("utils", "helpers", "common", "misc"),
    *("services", "managers", "constants"),
}
NOT_OURS = {
    *(".venv", ".git", "var", "vendor", "staticfiles", "__pycache__"),
    *(".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    ".import_linter_cache",
}
# What a machine of a registry is called; documents may link to a project's own site.
REGISTRIES = re.compile(
    r"\b(pyp[i][.]org|pythonhost[e]d[.]org|registry[.]npm[j]s[.]org)"
    r"|--(extra-)?index-url"
)

INEXACT_FIELDS = {"FloatField", "DecimalField"}

SOURCES = [
    file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in file.parts
]
COUNTING = [
    file
    for file in SOURCES
    if {"models", "core", "ledger"} & {*file.relative_to(ROOT).parts, file.stem}
]


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def everything() -> Iterator[Path]:
    """Yield each file that is ours, but not this one."""
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_OURS]
        files = [Path(directory) / name for name in names if name != ".env"]
        yield from (file for file in files if file != Path(__file__))


def inexact(tree: ast.AST) -> list[str]:
    """Return where a module could make a number that is not whole."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Attribute) and node.attr in INEXACT_FIELDS)
    ]


class TestNumbers:
    @pytest.mark.parametrize("file", COUNTING, ids=name_of)
    def test_are_whole_where_credits_and_money_are_counted(self, file):
        assert inexact(ast.parse(file.read_text())) == []

    @pytest.mark.parametrize(
        "source", ["0.5", "a / b", "float(a)", "models.DecimalField()"]
    )
    def test_that_are_not_whole_are_found(self, source):
        assert len(inexact(ast.parse(source))) == 1


class TestFiles:
    @pytest.mark.parametrize("file", SOURCES, ids=name_of)
    def test_are_named_by_what_is_in_them(self, file):
        assert not {file.stem, *file.relative_to(ROOT).parent.parts} & BANNED_NAMES

    @pytest.mark.parametrize("file", SOURCES, ids=name_of)
    def test_are_short(self, file):
        assert len(file.read_text().splitlines()) <= 450

    def test_name_no_registry_and_no_index(self):
        naming = [
            name_of(file)
            for file in everything()
            if REGISTRIES.search(file.read_text(errors="ignore"))
        ]

        assert naming == []
