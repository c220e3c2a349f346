"""Which operations Stripe has: (method, path) to parameters, read from the services.

The services of the SDK are generated code of one shape, so a pattern is enough and a
hundred modules need not be imported.
"""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import stripe

from stripe_sandbox.contract.parameters import Record
from stripe_sandbox.errors import ApiError

_METHOD = re.compile(
    r"\n    def \w+\((?P<signature>.*?)\) -> .*?"
    r'self\._request\(\s*"(?P<verb>\w+)",\s*"(?P<path>/v1/[^"]+)"',
    re.DOTALL,
)
_PARAMS = re.compile(r'params: (?:Optional\[)?"(\w+)"')
_NO_LONGER_WRITABLE = re.compile(
    r"/v1/(payment_intents|setup_intents|checkout/sessions)\b"
)


class _NoParams(TypedDict):
    """An operation without parameters."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API and the TypedDict of its parameters, if it has any."""

    method: str
    path: str
    params_module: str | None
    params_class: str | None

    def read(self, form: dict[str, Any]) -> dict[str, Any]:
        """Return the typed parameters.

        Raises:
            ApiError: unknown, missing or malformed parameters.
        """
        if "payment_method_types" in form and _NO_LONGER_WRITABLE.match(self.path):
            raise _types_no_longer_supported()
        if self.params_module is None or self.params_class is None:
            return Record(_NoParams).read(form)
        module = importlib.import_module(self.params_module)
        return Record(getattr(module, self.params_class)).read(form)


def _types_no_longer_supported() -> ApiError:
    return ApiError(
        "`payment_method_types` is no longer supported. Use"
        " `allowed_payment_method_types` or `excluded_payment_method_types`, or manage"
        " payment methods from the Dashboard.",
        code="payment_method_types_no_longer_supported",
        param="payment_method_types",
    )


@functools.cache
def operations() -> dict[tuple[str, str], Operation]:
    """Return all operations of the SDK by method and path template."""
    root = Path(stripe.__file__).parent
    found = (
        operation
        for file in sorted(root.rglob("_*_service.py"))
        for operation in _declared(file.read_text(encoding="utf-8"))
    )
    return {(each.method, each.path): each for each in found}


def _declared(source: str) -> list[Operation]:
    return [_operation(source, match) for match in _METHOD.finditer(source)]


def _operation(source: str, match: re.Match[str]) -> Operation:
    params = _PARAMS.search(match["signature"])
    params_class = params and params[1]
    return Operation(
        method=match["verb"].upper(),
        path=match["path"],
        params_module=_module_of(source, params_class) if params_class else None,
        params_class=params_class or None,
    )


def _module_of(source: str, name: str) -> str:
    found = re.search(rf"from ([\w.]+) import \(?\s*{name}\b", source)
    if found is None:
        raise LookupError(name)
    return found[1]
