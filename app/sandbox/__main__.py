"""`python -m app.sandbox --port 8090`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import os
import signal
import threading

from app.sandbox import create_sandbox
from app.sandbox.server import SandboxServer


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then end with status 0."""
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description="Stand-ins for outside services.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--token-delay-ms", type=int, default=15, help="pause between two pieces of a stream")
    where = os.environ.get("SANDBOX_CALLBACK_URL", "")
    parser.add_argument("--callback-url", default=where, help="address of the product, for calls to its webhooks")
    options = parser.parse_args()
    app = create_sandbox(token_delay_ms=options.token_delay_ms, callback_url=options.callback_url)
    server = SandboxServer(app, options.host, options.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server must not be stopped from the thread that serves: it would wait for itself.
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    print(f"Sandbox listening on {server.url}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
