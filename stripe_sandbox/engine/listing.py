"""Cursor paging: newest first, `starting_after`, `ending_before`, `has_more`."""

from __future__ import annotations

from stripe_sandbox.engine.context import Context
from stripe_sandbox.engine.store import Json
from stripe_sandbox.errors import ApiError, missing_resource

_LIMIT_DEFAULT = 10
_LIMIT_MAX = 100
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Filter:
    """SQL conditions over the JSON of the objects, with their values."""

    def __init__(self, **fields: object) -> None:
        self.conditions: list[str] = []
        self.values: list[object] = []
        for name, value in fields.items():
            if value is not None:
                self.where(f"json_extract(body, '$.{name}') = ?", value)

    def where(self, condition: str, *values: object) -> Filter:
        """Add a condition."""
        self.conditions.append(condition)
        self.values.extend(values)
        return self

    def one_of(self, name: str, choices: list[str] | None) -> Filter:
        """Keep objects whose field is among the choices, if there are any."""
        if choices:
            marks = ", ".join("?" * len(choices))
            self.where(f"json_extract(body, '$.{name}') IN ({marks})", *choices)
        return self

    def created(self, wanted: int | Json | None, *, field: str = "created") -> Filter:
        """Keep objects made at a time, or within `gt`, `gte`, `lt`, `lte`."""
        found = f"json_extract(body, '$.{field}')"
        if isinstance(wanted, int):
            self.where(f"{found} = ?", wanted)
        elif wanted:
            for name, value in wanted.items():
                self.where(f"{found} {_COMPARISONS[name]} ?", value)
        return self


def page(
    context: Context, kind: str, params: Json, *, url: str, keep: Filter | None = None
) -> Json:
    """Return one page of the objects of a kind.

    Raises:
        ApiError: the limit is not 1 to 100, or a cursor names nothing.
    """
    keep = keep or Filter()
    limit = _limit(params)
    backwards = "ending_before" in params
    if "starting_after" in params:
        keep.where("seq < ?", _seq(context, kind, params, "starting_after"))
    if backwards:
        keep.where("seq > ?", _seq(context, kind, params, "ending_before"))
    order = "ASC" if backwards else "DESC"
    found = context.store.select(
        kind,
        keep.conditions,
        keep.values,
        tail=f"ORDER BY seq {order} LIMIT {limit + 1}",
    )
    data = found[:limit][::-1] if backwards else found[:limit]
    return list_of(data, url=url, has_more=len(found) > limit)


def list_of(data: list[Json], *, url: str, has_more: bool = False) -> Json:
    """Return Stripe's list envelope."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _limit(params: Json) -> int:
    limit = int(params.get("limit", _LIMIT_DEFAULT))
    if limit > _LIMIT_MAX:
        raise _out_of_range("less than or equal to 100", limit)
    if limit < 1:
        raise _out_of_range("greater than or equal to 1", limit)
    return limit


def _out_of_range(bound: str, limit: int) -> ApiError:
    return ApiError(
        f"This value must be {bound} (it currently is '{limit}').",
        code="parameter_invalid_integer",
        param="limit",
    )


def _seq(context: Context, kind: str, params: Json, cursor: str) -> int:
    object_id = params[cursor]
    rows = context.store.sql(
        "SELECT seq FROM objects WHERE id = ? AND kind = ?", object_id, kind
    )
    if not rows:
        raise missing_resource(kind, object_id, param=cursor, status=400)
    return int(rows[0]["seq"])
