"""A webhook of ours that is only a listener: it keeps what it is sent and answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest


class Hook:
    """Where it listens, the forms it was sent in the order they came, and what it answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[dict[str, str]] = []
        self.signatures: list[str] = []
        self.answer = (200, "text/xml", "<Response></Response>")

    def wait_for(self, count: int, seconds: float = 10.0) -> list[dict[str, str]]:
        """The calls, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.calls) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.calls) >= count, f"{len(self.calls)} calls of {count} came"
        return self.calls


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A listener on a free port."""
    told: list[Hook] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told[0].signatures.append(self.headers.get("X-Twilio-Signature", ""))
            told[0].calls.append(dict(parse_qsl(text, keep_blank_values=True)))
            status, kind, body = told[0].answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.append(Hook(f"http://127.0.0.1:{server.server_port}/webhooks/status?tenant=7"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield told[0]
    server.shutdown()
    server.server_close()
