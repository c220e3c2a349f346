"""Reads and checks parameters by the SDK's TypedDicts, with Stripe's errors."""

from __future__ import annotations

import builtins
import functools
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from stripe_sandbox.errors import (
    ApiError,
    empty_parameter,
    missing_parameter,
    unknown_parameters,
)

_INTEGER = re.compile(r"-?\d+\Z")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?\Z")
_OPTIONS = frozenset(RequestOptions.__annotations__)


class Spec(Protocol):
    """What one parameter may be."""

    def read(self, value: object, name: str) -> object:
        """Return the typed value.

        Raises:
            ApiError: the value is not of this kind.
        """


@dataclass(frozen=True, slots=True)
class Text:
    """Any text but the empty one."""

    def read(self, value: object, name: str) -> str:
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {value}", param=name)
        if not value:
            raise empty_parameter(name)
        return value


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number."""

    def read(self, value: object, name: str) -> int:
        if value == "":
            raise empty_parameter(name)
        if not isinstance(value, str) or not _INTEGER.match(value):
            raise ApiError(
                f"Invalid integer: {value}",
                code="parameter_invalid_integer",
                param=name,
            )
        return int(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number, kept as text: nothing here is a float."""

    def read(self, value: object, name: str) -> str:
        if not isinstance(value, str) or not _DECIMAL.match(value):
            raise ApiError(f"Invalid decimal: {value}", param=name)
        return value


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    def read(self, value: object, name: str) -> bool:
        if value not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {value}", param=name)
        return value == "true"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values that the SDK names; `''` among them unsets."""

    values: tuple[str, ...]

    def read(self, value: object, name: str) -> str:
        if value not in self.values:
            listed = _listed([choice for choice in self.values if choice])
            raise ApiError(f"Invalid {name}: must be one of {listed}", param=name)
        return str(value)


@dataclass(frozen=True, slots=True)
class Array:
    """A list, sent as `a[]` or `a[0]`."""

    item: Spec

    def read(self, value: object, name: str) -> list[Any]:
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise ApiError("Invalid array", param=name)
        ordered = sorted(value.items(), key=lambda pair: int(pair[0]))
        return [self.item.read(each, f"{name}[{index}]") for index, each in ordered]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Free keys; an empty value unsets a key, as in metadata."""

    item: Spec

    def read(self, value: object, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ApiError("Invalid object", param=name)
        return {
            key: each if each == "" else self.item.read(each, f"{name}[{key}]")
            for key, each in value.items()
        }


@dataclass(frozen=True, slots=True)
class OneOf:
    """Several kinds: the first that fits reads the value."""

    options: tuple[Spec, ...]

    def read(self, value: object, name: str) -> object:
        nested = isinstance(value, dict)
        fitting = [o for o in self.options if _takes_mapping(o) is nested]
        *alternatives, last = fitting or self.options
        for option in alternatives:
            try:
                return option.read(value, name)
            except ApiError:
                continue
        return last.read(value, name)


@dataclass(frozen=True, slots=True)
class Record:
    """A TypedDict of the SDK. Its fields are resolved at first use."""

    typed_dict: type

    def read(self, value: object, name: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ApiError("Invalid object", param=name)
        specs = _fields(self.typed_dict)
        unknown = [_nested(name, key) for key in value if key not in specs]
        if unknown:
            raise unknown_parameters(unknown)
        for key in sorted(_required(self.typed_dict)):
            if key not in value:
                raise missing_parameter(_nested(name, key))
        return {
            key: specs[key].read(each, _nested(name, key))
            for key, each in value.items()
        }


def _nested(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _listed(choices: list[str]) -> str:
    if len(choices) < 3:
        return " or ".join(choices)
    return f"{', '.join(choices[:-1])}, or {choices[-1]}"


def _takes_mapping(spec: Spec) -> bool:
    return isinstance(spec, Array | Dictionary | Record)


@functools.cache
def _required(typed_dict: type) -> frozenset[str]:
    return typed_dict.__required_keys__ - _OPTIONS  # type: ignore[attr-defined,no-any-return]


@functools.cache
def _fields(typed_dict: type) -> dict[str, Spec]:
    # The SDK names these two only under TYPE_CHECKING; no parameter uses them.
    names = {"StripeContext": str, "Mapping": Mapping}
    module = vars(sys.modules[typed_dict.__module__])
    hints = typing.get_type_hints(typed_dict, globalns=module, localns=names)
    return {key: _spec(hint) for key, hint in hints.items() if key not in _OPTIONS}


_SCALARS: dict[Any, Spec] = {
    str: Text(),
    int: Integer(),
    bool: Boolean(),
    float: Number(),
    Decimal: Number(),
}


def _spec(hint: object) -> Spec:
    if isinstance(hint, type) and is_typeddict(hint):
        return Record(hint)
    return _SCALARS.get(hint) or _composite(hint)


def _composite(hint: object) -> Spec:
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case typing.Literal:
            return Choice(tuple(str(value) for value in arguments))
        case builtins.list:
            return Array(_spec(arguments[0]))
        case builtins.dict:
            return Dictionary(_spec(arguments[1]))
        case typing.Union | types.UnionType:
            return _union(arguments)
        case _:
            return Text()


def _union(members: tuple[object, ...]) -> Spec:
    kept = [m for m in members if m is not type(None) and not _is_untyped(m)]
    literals = [m for m in kept if typing.get_origin(m) is Literal]
    named = tuple(str(value) for m in literals for value in typing.get_args(m))
    # `Literal[...] | str` keeps the SDK's types open for later values; the API of
    # this version takes none but those named.
    if any(named) and str in kept:
        kept.remove(str)
    others = [_spec(member) for member in kept if member not in literals]
    options = ([Choice(named)] if named else []) + others
    return options[0] if len(options) == 1 else OneOf(tuple(options))


def _is_untyped(member: object) -> bool:
    return typing.get_origin(member) is UntypedStripeObject
