"""How long to wait for a provider: to connect, between two pieces of an answer, and through mere signs of life."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
CHECK_SECONDS = 15.0
# What services send while one waits: comment lines, blank lines, Anthropic's pings.
_SIGNS_OF_LIFE = (b":", b"event: ping", b'data: {"type": "ping"', b'data: {"type":"ping"')


def timeout(seconds: float) -> httpx2.Timeout:
    """`seconds` without a byte ends a call; connecting may take less."""
    import httpx2

    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def hooks() -> dict[str, list[Any]]:
    """Event hooks for a client: a service that only says it is alive counts as silent."""
    return {"response": [_guard]}


def _guard(response: httpx2.Response) -> None:
    limit = (response.request.extensions.get("timeout") or {}).get("read")
    if limit:
        response.stream = _guarded(response.stream, float(limit))


def _guarded(stream: Any, limit: float) -> Any:
    import httpx2

    class Guarded(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            heard = time.monotonic()
            for chunk in stream:
                if not _is_sign_of_life(chunk):
                    heard = time.monotonic()
                elif time.monotonic() - heard > limit:
                    raise httpx2.ReadTimeout("nothing but signs of life")
                yield chunk

        def close(self) -> None:
            stream.close()

    return Guarded()


def _is_sign_of_life(chunk: bytes) -> bool:
    return all(line.startswith(_SIGNS_OF_LIFE) for line in chunk.split(b"\n") if line.strip())
