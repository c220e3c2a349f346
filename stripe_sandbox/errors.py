"""Stripe's errors: status, envelope, codes and sentences."""

from __future__ import annotations

from typing import Any

_DOC_URL = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer other than 200, in the shape of Stripe's error envelope."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - Stripe's own name
        code: str | None = None,
        param: str | None = None,
        **details: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields: dict[str, Any] = {"message": message, "type": type, **details}
        if code:
            self.fields |= {"code": code, "doc_url": _DOC_URL + code.replace("_", "-")}
        if param:
            self.fields["param"] = param

    @property
    def is_validation(self) -> bool:
        """Whether execution never began: such answers are not kept for a key."""
        return (self.code or "").startswith("parameter_")

    @property
    def keeps_changes(self) -> bool:
        """Whether what happened before it stays: a decline leaves a failed charge."""
        return self.status == 402

    def body(self) -> dict[str, Any]:
        """Return the envelope; like Stripe's, it leaves out what is null."""
        return {"error": dict(sorted(self.fields.items()))}


def unknown_parameters(names: list[str]) -> ApiError:
    """Refuse parameters that the operation does not have."""
    word = "parameter" if len(names) == 1 else "parameters"
    return ApiError(
        f"Received unknown {word}: {', '.join(names)}",
        code="parameter_unknown",
        param=names[0],
    )


def missing_parameter(name: str) -> ApiError:
    """Ask for a required parameter."""
    return ApiError(
        f"Missing required param: {name}.", code="parameter_missing", param=name
    )


def empty_parameter(name: str) -> ApiError:
    """Refuse the empty string where nothing can be unset."""
    return ApiError(
        f"You passed an empty string for '{name}'. We assume empty values are an"
        f" attempt to unset a parameter; however '{name}' cannot be unset. You should"
        f" remove '{name}' from your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=name,
    )


def missing_resource(
    noun: str, resource_id: str, *, param: str = "id", status: int = 404
) -> ApiError:
    """Say that an id names nothing: 404 in the path, 400 in a parameter."""
    return ApiError(
        f"No such {noun}: '{resource_id}'",
        status=status,
        code="resource_missing",
        param=param,
    )


def not_in_the_sandbox(what: str) -> ApiError:
    """Refuse what Stripe offers and this sandbox does not."""
    return ApiError(f"{what} is not part of this sandbox.", code="sandbox_unsupported")
