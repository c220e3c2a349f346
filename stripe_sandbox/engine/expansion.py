"""`expand`: ids are replaced by their objects, included lists are added.

Source: https://docs.stripe.com/expand
"""

from __future__ import annotations

from collections.abc import Callable

from stripe_sandbox.contract.objects import is_expandable
from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError

Include = Callable[[Context, Json], Json | None]
_includes: dict[tuple[str, str], Include] = {}
_DEPTH_MAX = 4


def included(kind: str, field: str) -> Callable[[Include], Include]:
    """Register a list that an object carries only when it is expanded."""

    def register(function: Include) -> Include:
        _includes[kind, field] = function
        return function

    return register


def expand(context: Context, body: Json, paths: list[str]) -> Json:
    """Expand `a.b` paths in an answer; in a list, `data.a`, whose `data` counts too.

    Raises:
        ApiError: a property cannot be expanded, or a path is deeper than four.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEPTH_MAX:
            raise ApiError(
                f"You cannot expand more than {_DEPTH_MAX} levels of a property."
                f" Property: {path}",
                code="property_expansion_max_depth",
            )
        _expand(context, body, steps, path)
    return body


def _expand(context: Context, here: Json, steps: list[str], path: str) -> None:
    field, rest = steps[0], steps[1:]
    if rest and _is_null(here, field):
        return  # There is nothing to go down to, as on a line without a price.
    value = _resolved(context, here, field, path)
    here[field] = value
    if value is None:
        return
    for child in value if isinstance(value, list) else [value]:
        if rest:
            _expand(context, child, rest, path)


def _is_null(here: Json, field: str) -> bool:
    is_included = (str(here.get("object", "")), field) in _includes
    return field in here and here[field] is None and not is_included


def _resolved(
    context: Context, here: Json, field: str, path: str
) -> Json | list[Json] | None:
    kind = str(here.get("object", ""))
    value = here.get(field)
    include = _includes.get((kind, field))
    if include and value is None:
        return include(context, here)
    if isinstance(value, list):
        return [found for each in value if (found := _found(context, each))]
    if isinstance(value, dict):
        return value
    if not _may_hold_an_id(kind, field, here):
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    return _found(context, value)


def _found(context: Context, value: object) -> Json | None:
    """The object of an id; what is no id is expanded already."""
    if isinstance(value, str):
        return context.store.get(value)
    return value if isinstance(value, dict) else None


def _may_hold_an_id(kind: str, field: str, here: Json) -> bool:
    """Hashes inside objects are not classes of their own: there the id itself tells."""
    if kind and kind != "list":
        return is_expandable(kind, field)
    return field in here and kind != "list"
