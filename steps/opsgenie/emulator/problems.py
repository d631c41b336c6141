"""How the service says no."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """An error answer.

    Attributes:
        status: HTTP status.
        errors: field path → what is wrong with it; of a 422.
        code: the service's own number, where it gives one.
        headers: headers the answer carries besides the usual.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Mapping[str, str] | None = None,
        code: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.code = code
        self.headers = headers or {}


class ProcessingError(Exception):
    """An accepted request that came to nothing: the request status says why, with `isSuccess: false`."""


def bad_fields(errors: Mapping[str, str]) -> ApiError:
    """The 422 for a body or query whose fields are wrong."""
    return ApiError(422, "Request body is not processable. Please check the errors.", errors=errors)


def missing(what: str, identifier: str) -> ApiError:
    """The 404 for an entity that is not there; the wording is ours."""
    return ApiError(404, f"{what} does not exist with identifier [{identifier}].")
