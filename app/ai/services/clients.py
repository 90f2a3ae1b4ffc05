"""One client per provider, key, address and model, made once per process and remade when it fails."""

from __future__ import annotations

import threading

from app.ai.providers.base import AIProvider, Failure, ProviderError
from app.ai.services.candidates import Candidate
from app.core.config import get_settings
from app.core.errors import ValidationFailed
from app.core.outbound import check_url

_clients: dict[str, AIProvider] = {}
_lock = threading.Lock()


def client_for(candidate: Candidate) -> AIProvider:
    """The shared client; raises ProviderError when none can be made. Libraries load with the first use."""
    if candidate.has_typed_address:
        _check_address(candidate)
    client = _clients.get(candidate.key)
    if client is not None:
        return client
    made = _make(candidate)
    with _lock:
        return _clients.setdefault(candidate.key, made)


def evict(candidate: Candidate) -> None:
    """Make a new client next time."""
    with _lock:
        _clients.pop(candidate.key, None)


def clear() -> None:
    """Forget all clients of this process."""
    with _lock:
        _clients.clear()


def check(candidate: Candidate) -> None:
    """Ask the service, with a fresh client, whether it answers; raises ProviderError and drops the client if not."""
    evict(candidate)
    try:
        client_for(candidate).check()
    except ProviderError:
        evict(candidate)
        raise


def _check_address(candidate: Candidate) -> None:
    """Each time, since a name may resolve to another machine than when it was saved."""
    try:
        check_url(candidate.base_url)
    except ValidationFailed as refused:
        raise ProviderError(Failure.INVALID, refused.message, provider=candidate.name) from None


def _make(candidate: Candidate) -> AIProvider:
    from app.ai.providers import registry

    return registry.build(
        candidate.name,
        api_key=candidate.api_key,
        base_url=candidate.base_url,
        model=candidate.model,
        token_delay_seconds=get_settings().builtin_token_delay_ms / 1000,
    )
