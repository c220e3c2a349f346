"""The form encoding of Stripe's API: `a=1`, `a[b]=1`, `a[]=1`, `a[0][b]=1`.

Arrays come out as mappings from index to value: whether `metadata[0]` is an array
element or a key named "0" is only known to the contract.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_SEGMENT = re.compile(r"\[([^\]]*)\]")


def parse_form(encoded: str) -> dict[str, Any]:
    """Parse a query string or form body into nested mappings of strings."""
    form: dict[str, Any] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        _put(form, _path(key), value)
    return form


def _path(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    return [head, *_SEGMENT.findall(bracket + rest)]


def _put(form: dict[str, Any], path: list[str], value: str) -> None:
    here = form
    for position, segment in enumerate(path[:-1]):
        name = segment or _open_index(here, path[position + 1])
        child = here.setdefault(name, {})
        if not isinstance(child, dict):
            child = here[name] = {}
        here = child
    here[path[-1] or str(len(here))] = value


def _open_index(array: dict[str, Any], field: str) -> str:
    """The element that `a[][field]` means: a repeated field begins the next one."""
    last = array.get(str(len(array) - 1))
    if isinstance(last, dict) and field and field not in last:
        return str(len(array) - 1)
    return str(len(array))
