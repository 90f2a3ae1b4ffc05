"""The one exception hierarchy; each error knows its status, its code and what a user may read."""

from __future__ import annotations

from typing import Any


class AppError(Exception):
    """Something the caller should hear about. `details` are safe to show."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details
        self.headers: dict[str, str] = {}


class BadRequest(AppError):
    status, code = 400, "bad_request"


class ValidationFailed(AppError):
    """The request was understood but a field is not acceptable; `field` or `errors` name it."""

    status, code = 422, "validation_failed"
    # What stood in the field and what should: said only by contracts that give input back, since it may be a secret.
    given: dict[str, Any] | None = None


class Unauthenticated(AppError):
    status, code = 401, "unauthenticated"


class EntitlementExceeded(AppError):
    status, code = 402, "entitlement_exceeded"


class PermissionDenied(AppError):
    status, code = 403, "permission_denied"


class NotFound(AppError):
    """No such row, or another tenant's: the two look the same."""

    status, code = 404, "not_found"


class Conflict(AppError):
    status, code = 409, "conflict"


class InvalidTransition(Conflict):
    code = "invalid_transition"


class PayloadTooLarge(AppError):
    status, code = 413, "payload_too_large"


class UnsupportedMediaType(AppError):
    status, code = 415, "unsupported_media_type"


class RateLimited(AppError):
    """Too many calls; `retry_after` is whole seconds."""

    status, code = 429, "rate_limited"

    def __init__(self, message: str, *, retry_after: int = 1, **details: Any) -> None:
        super().__init__(message, retry_after=retry_after, **details)
        self.headers["Retry-After"] = str(retry_after)


class ProviderFailed(AppError):
    """An outside service did not do its part; `retryable` says whether trying again may help."""

    status, code = 502, "provider_failed"

    def __init__(self, message: str, *, retryable: bool = False, **details: Any) -> None:
        super().__init__(message, retryable=retryable, **details)
        self.retryable = retryable


class Unavailable(AppError):
    """A part of this product is away for the moment; nothing was lost."""

    status, code = 503, "unavailable"
