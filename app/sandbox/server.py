"""Serves the sandbox: a thread a request, so that a stream or a hang holds up nobody else."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _Handler(WSGIRequestHandler):
    """HTTP/1.1, so that streams are chunked and a broken one can be told from a finished one."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the front page shows what came in."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Let errors through, leave the rest out."""
        if type == "error":
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
