"""Faults are tried in full runs only: here is seen in every run that they could be."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter

import pytest

from tests.breaking import text_of
from tests.credits.faults import FAULTS


@pytest.mark.parametrize("module", FAULTS)
def test_are_of_tests_that_exist(module):
    found = import_module(f"tests.credits.{module}")

    assert all(map(callable, (attrgetter(test)(found) for test in FAULTS[module])))


def test_are_of_what_is_written():
    every = [
        fault for tests in FAULTS.values() for some in tests.values() for fault in some
    ]

    assert [(file, old) for file, old, _ in every if old not in text_of(file)] == []
