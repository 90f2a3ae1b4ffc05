"""Posting to an address somebody typed: only to where it was checked to lead, no redirects, one deadline for all."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpcore2
from httpcore2 import NetworkBackend, NetworkStream

from app.core.errors import ValidationFailed
from app.core.outbound import check_url, find_addresses

if TYPE_CHECKING:
    import ssl

READ_AT_MOST = 64 * 1024  # a longer answer is cut off, with its connection
KEPT_OPEN_SECONDS = 30.0
_deadline: ContextVar[float] = ContextVar("outbound_deadline", default=0.0)


@dataclass(frozen=True)
class Answer:
    """What came back. `status` 0: nothing did, and `error` says why; `is_late` when that is for want of time."""

    status: int = 0
    text: str = ""
    error: str = ""
    is_late: bool = False
    took_ms: int = 0
    retry_after: str = ""


def post(url: str, body: bytes, headers: dict[str, str], *, seconds: float, keep: int = 1024) -> Answer:
    """Send it and give the first `keep` bytes of the answer. Never raises for what the other side does.

    The name is resolved and checked again at each new connection, which goes to the address that was checked: a name
    that leads elsewhere a moment later is followed nowhere.
    """
    started = time.monotonic()
    token = _deadline.set(started + seconds)
    try:
        check_url(url, field="url")
        answer = _exchange(url, body, headers, seconds, keep)
    except ValidationFailed as error:
        answer = Answer(error=error.message)
    except httpcore2.TimeoutException:
        answer = Answer(error=f"No answer within {seconds:g} seconds.", is_late=True)
    except httpcore2.ConnectError as error:
        answer = Answer(error=f"No connection: {_said(error)}", is_late=True)
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
        answer = Answer(error=f"The connection broke: {_said(error)}")
    finally:
        _deadline.reset(token)
    return Answer(**{**vars(answer), "took_ms": round((time.monotonic() - started) * 1000)})


def _exchange(url: str, body: bytes, headers: dict[str, str], seconds: float, keep: int) -> Answer:
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    with _pool().stream("POST", url, headers=named, content=body, extensions={"timeout": timeouts}) as response:
        kept, read = b"", 0
        for chunk in response.iter_stream():
            kept, read = (kept + chunk)[:keep], read + len(chunk)
            if read > READ_AT_MOST:
                break
        found = {name.lower(): value for name, value in response.headers}
    after = found.get(b"retry-after", b"").decode("ascii", "replace")
    text = kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Answer(status=response.status, text=text, retry_after=after)


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]


@lru_cache(maxsize=1)
def _pool() -> httpcore2.ConnectionPool:
    """One for the process. It reads no proxy from the environment: a proxy would resolve names by itself."""
    context = httpcore2.default_ssl_context()
    return httpcore2.ConnectionPool(
        ssl_context=context, max_connections=50, max_keepalive_connections=20, keepalive_expiry=KEPT_OPEN_SECONDS,
        network_backend=_CheckedBackend(),
    )  # fmt: skip


class _CheckedBackend(NetworkBackend):
    """Connects to an address that was checked just before, never to a name."""

    def __init__(self) -> None:
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> NetworkStream:
        failed: Exception | None = None
        for address in find_addresses(host, port):
            try:
                stream = self._plain.connect_tcp(address, port, _left(timeout), local_address, socket_options)
                return _TimedStream(stream)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore2.ConnectError("the name has no address")


class _TimedStream(NetworkStream):
    """Gives each step what is left until the deadline, so that an answer by drops does not last for ever."""

    def __init__(self, stream: NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time is up")
    return left if timeout is None else min(timeout, left)
