"""A running sandbox for tests: `sandbox.url`, and `sandbox.control` to script, spoil and ask what came in."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.sandbox import create_sandbox
from app.sandbox.server import SandboxServer


class Control:
    """Speaks to `/_control` of a sandbox."""

    def __init__(self, url: str) -> None:
        self._url = url

    def received(self, service: str = "") -> list[dict[str, Any]]:
        """What the sandbox was sent, oldest first."""
        return self._call("GET", f"/received?service={service}")

    def fault(self, service: str, action: str, **more: Any) -> dict[str, Any]:
        """Set a fault: path, match, rate, times, and the action's own parameters."""
        return self._call("POST", "/faults", {"service": service, "action": action, **more})

    def script(self, service: str, *answers: Any, match: str = "") -> None:
        """Queue exact answers; what is not text is given as JSON."""
        self._call("POST", "/script", {"service": service, "answers": list(answers), "match": match})

    def advance(self, seconds: float) -> None:
        """Move virtual time on."""
        self._call("POST", "/clock", {"advance_seconds": seconds})

    def settings(self, **values: Any) -> None:
        """Set `token_delay_ms` and `seed`."""
        self._call("POST", "/settings", values)

    def twilio(self, **values: Any) -> dict[str, Any]:
        """Set what becomes of messages: callbacks, delay_ms, outcomes, numbers, inbound_url …"""
        return self._call("POST", "/twilio", values)

    def write(self, person: str, body: str, **more: Any) -> dict[str, Any]:
        """Somebody writes to us; gives what our webhook answered."""
        return self._call("POST", "/twilio/inbound", {"from": person, "body": body, **more})

    def approve(self, sid: str, status: str = "approved") -> None:
        """Have WhatsApp say this of a content that was submitted."""
        self._call("POST", "/twilio/approvals", {"sid": sid, "status": status})

    def messages(self) -> dict[str, int]:
        """Counts of all messages and callbacks so far."""
        return self._call("GET", "/twilio/summary")

    def reset(self) -> None:
        """Forget everything."""
        self._call("POST", "/reset")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        call = urllib.request.Request(f"{self._url}/_control{path}", data, method=method)
        with urllib.request.urlopen(call, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@dataclass(frozen=True)
class RunningSandbox:
    """Where the sandbox is, and the handle to it."""

    url: str
    control: Control

    def base_url(self, service: str) -> str:
        """The base-URL setting of a service, as a connector is given it."""
        return f"{self.url}/{service}" + ("" if service == "perplexity" else "/v1")


@pytest.fixture(scope="session")
def _sandbox_server() -> Iterator[RunningSandbox]:
    server = SandboxServer(create_sandbox(token_delay_ms=0))
    server.start()
    yield RunningSandbox(server.url, Control(server.url))
    server.stop()


@pytest.fixture
def sandbox(_sandbox_server: RunningSandbox) -> RunningSandbox:
    """The sandbox on a free port, empty."""
    _sandbox_server.control.reset()
    return _sandbox_server
