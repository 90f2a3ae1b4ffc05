"""Turns whatever a vendor's SDK raises into one ProviderError, by what went wrong rather than by whose class it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.ai.providers.base import Failure, ProviderError

LONGEST_MESSAGE = 300
OUT_OF_CREDIT = ("insufficient_quota", "enforced_spend_limit_reached", "contract_spend_limit_reached", "billing_error")
CREDIT_WORDS = ("credit balance is too low", "insufficient balance", "exceeded your current quota")
DECLINED = ("content_filter", "content_policy_violation", "safety")
BY_STATUS = {
    401: Failure.CREDENTIALS,
    402: Failure.QUOTA,
    403: Failure.CREDENTIALS,
    408: Failure.TRANSIENT,
    409: Failure.TRANSIENT,
    429: Failure.RATE_LIMIT,
}
BY_KIND = {
    "overloaded_error": Failure.TRANSIENT,
    "api_error": Failure.TRANSIENT,
    "timeout_error": Failure.TRANSIENT,
    "server_error": Failure.TRANSIENT,
    "rate_limit_error": Failure.RATE_LIMIT,
    "rate_limit_exceeded": Failure.RATE_LIMIT,
    "authentication_error": Failure.CREDENTIALS,
    "permission_error": Failure.CREDENTIALS,
    "invalid_request_error": Failure.INVALID,
}


@contextmanager
def translated(provider: str, *, timeout_seconds: float) -> Iterator[None]:
    """Let nothing but ProviderError out of the block.

    A network that breaks is TRANSIENT here; a stream that has begun turns that into CUT itself.
    """
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "rq":
            raise  # the worker's own time limit for the job is no answer of a provider
        raise _translation(provider, error, timeout_seconds) from error


def _translation(provider: str, error: Exception, timeout_seconds: float) -> ProviderError:
    if _is_timeout(error):
        text = f"{provider} did not answer within {timeout_seconds:g} seconds."
        return ProviderError(Failure.TRANSIENT, text, provider=provider)
    response, body = getattr(error, "response", None), getattr(error, "body", None)
    status = int(getattr(error, "status_code", 0) or 0)
    if status or body:
        return from_answer(provider, status, body, getattr(response, "headers", None) or {})
    if _is_network(error):
        return ProviderError(Failure.TRANSIENT, f"The connection to {provider} failed.", provider=provider)
    text = f"{provider} answered in a way that could not be read ({type(error).__name__})."
    return ProviderError(Failure.TRANSIENT, text, provider=provider)


def from_answer(provider: str, status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error an answer stands for. An event inside a stream came with status 200: then its kind decides."""
    details = _details(body)
    failure = _failure(status, details)
    said = details["message"] or (f"HTTP {status}" if status else "an error")
    text = f"{provider} answered {status}: {said}" if status >= 400 else f"{provider} answered with an error: {said}"
    return ProviderError(failure, text[:LONGEST_MESSAGE], provider=provider, retry_after=retry_after(headers))


def _failure(status: int, details: dict[str, str]) -> Failure:
    words = details["message"].lower()
    marks = {details["type"], details["code"], details["error_code"]}
    if marks & set(OUT_OF_CREDIT) or any(phrase in words for phrase in CREDIT_WORDS):
        return Failure.QUOTA
    if marks & set(DECLINED):
        return Failure.REFUSED
    if status >= 500:
        return Failure.TRANSIENT
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 400:
        return Failure.INVALID
    return next((BY_KIND[mark] for mark in marks if mark in BY_KIND), Failure.CUT)


def _details(body: Any) -> dict[str, str]:
    """Message, type and codes of an error body, whether it is the whole or only its inner part."""
    inner = body.get("error", body) if isinstance(body, Mapping) else {}
    if not isinstance(inner, Mapping):
        inner = {"message": str(inner)}
    more = inner.get("details")
    code = more.get("error_code") if isinstance(more, Mapping) else None
    found = {name: str(inner.get(name) or "") for name in ("message", "type", "code")}
    return {**found, "error_code": str(code or "")}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as the provider named them; in whole or thousandth seconds or as a moment."""
    try:
        if headers.get("retry-after-ms"):
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after") or ""
        if value.replace(".", "", 1).isdigit():
            return float(value)
        if value:
            return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
    return None


def _is_timeout(error: Exception) -> bool:
    import httpx2

    return isinstance(error, httpx2.TimeoutException) or type(error).__name__ == "APITimeoutError"


def _is_network(error: Exception) -> bool:
    import httpx2

    return isinstance(error, httpx2.TransportError) or type(error).__name__ == "APIConnectionError"


def broke_off(provider: str, error: Exception) -> bool:
    """Whether the network broke under an answer that had begun."""
    return _is_network(error) and not _is_timeout(error)


def cut(provider: str) -> ProviderError:
    """A stream that ended before its end."""
    return ProviderError(Failure.CUT, f"The answer of {provider} broke off.", provider=provider)


def refused(provider: str) -> ProviderError:
    """The model declined."""
    return ProviderError(Failure.REFUSED, f"The model of {provider} declined to answer.", provider=provider)


def empty(provider: str) -> ProviderError:
    """An answer with nothing in it; asking again usually helps."""
    return ProviderError(Failure.TRANSIENT, f"{provider} gave an empty answer.", provider=provider)


def unknown_model(provider: str, model: str) -> ProviderError:
    """The service does not know the model."""
    return ProviderError(Failure.INVALID, f"{provider} does not know the model “{model}”.", provider=provider)
