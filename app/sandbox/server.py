"""Serves the sandbox: a thread a connection, kept alive, so that a stream or a hang holds up nobody else."""

from __future__ import annotations

import io
import socket
import threading
import traceback
from collections.abc import Iterable
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

LONGEST_BODY_READ = 80 * 1024 * 1024
IDLE_SECONDS = 60
BODILESS = ("1", "204", "304")


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 whose connections serve one request after the other.

    Werkzeug's own handler closes each connection, and waits 10 ms to see whether more is sent: too dear for a service
    that is called a thousand times a second. Streams are chunked, so that a broken one can be told from a finished one.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def run_wsgi(self) -> None:
        """Answer one request; the connection lives on unless something went wrong with it."""
        environ = self.make_environ()
        try:
            self._take_body(environ)
            started: list[Any] = []
            parts = self.server.app(environ, lambda *said: started.append(said) or self.wfile.write)  # type: ignore[func-returns-value]
            try:
                self._answer(str(started[0][0]), started[0][1], parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except (ConnectionError, socket.timeout):  # noqa: UP041  the socket's own name for it
            self.close_connection = True
        except Exception:
            self.close_connection = True
            self.server.log("error", "Error on request:\n%s", traceback.format_exc())

    def _take_body(self, environ: dict[str, Any]) -> None:
        """Read what was sent, so that the next request begins where it should; too much of it ends the connection."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "wsgi.input_terminated" in environ:
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY_READ:
            self.close_connection = True
            return
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length) if length else b"")

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        bodiless = code.startswith(BODILESS) or self.command == "HEAD"
        is_chunked = not bodiless and not any(name.lower() == "content-length" for name, _ in headers)
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        if is_chunked:
            self._write_chunks(parts)
        else:
            self._write_whole(b"" if bodiless else b"".join(parts))

    def _write_whole(self, body: bytes) -> None:
        """Headers and body in one packet."""
        buffer: list[bytes] = getattr(self, "_headers_buffer", [])
        buffer += [b"\r\n", body]
        self.flush_headers()

    def _write_chunks(self, parts: Iterable[bytes]) -> None:
        self.end_headers()
        for part in parts:
            if part:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the front page shows what came in."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Let errors through, leave the rest out: an idle connection that ends is none."""
        if type == "error" and not message.startswith("Request timed out"):
            super().log(type, message, *args)


class SandboxServer:
    """A running sandbox. Port 0 takes a free port; `url` tells which."""

    def __init__(self, app: Flask, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self._server: BaseWSGIServer = make_server(host, port, app, threaded=True, request_handler=_Handler)
        setattr(self._server, "daemon_threads", True)  # noqa: B010  the base class does not declare it
        shown = "127.0.0.1" if host in ("0.0.0.0", "") else host
        self.url = f"http://{shown}:{self._server.port}"

    def serve(self) -> None:
        """Serve until `stop` is called."""
        self._server.serve_forever(poll_interval=0.1)
        self._server.server_close()

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve, name="sandbox", daemon=True).start()

    def stop(self) -> None:
        """End serving; requests that are waiting on purpose are let go."""
        self.app.extensions["sandbox"].closing.set()
        self._server.shutdown()
