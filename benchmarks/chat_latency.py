"""How much later than the provider sends it a word reaches the browser: `python benchmarks/chat_latency.py [answers]`.

A language model that speaks OpenAI's API writes the time into every token it sends. Real web and worker processes
carry them to a client of the event stream, which subtracts. Both read the same clock, so the difference is what
Parley adds. The same stream read directly is the yardstick.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.stack import Stack
from tests.support.valkey import free_port

TOKENS = 40
GAP_SECONDS = 0.025
STAMP = re.compile(r"<(\d+\.\d+)>")


@dataclass(frozen=True)
class Answer:
    """Seconds: how late each token was, and how long after the question the first and the last one came."""

    delays: list[float]
    first: float
    last: float


class Model(BaseHTTPRequestHandler):
    """Streams tokens that say when they were sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._head("application/json", body=json.dumps({"data": [{"id": "bench", "object": "model"}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not asked.get("stream", asked == {}):  # the audience's own pipeline, left to the built-in analyst
            message = {"index": 0, "message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}
            whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "bench", "choices": [message]}
            self._head("application/json", body=json.dumps(whole).encode())
            return
        self._head("text/event-stream")
        for _ in range(TOKENS):
            self._send({"role": "assistant", "content": f"<{time.time():.6f}> "})
            time.sleep(GAP_SECONDS)
        self._send({}, finish="stop")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _head(self, kind: str, body: bytes | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body or b"")
        self.close_connection = True

    def _send(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": [choice]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Person:
    """Somebody signed in, with a persona to talk to and an open event stream."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        account = {"email": "bench@example.com", "password": "a good password"}
        self.user_id = self.call("/signup", account)["user_id"]
        self.call("/login", account)
        audience = self.call("/audience", {"name": "Orchard & Oat"})["audience_id"]
        segment = self.call(f"/audience/{audience}/segments", {"name": "Rescuers"})
        persona = self.call(
            f"/segments/{segment.get('segment_id') or segment['id']}/personas", {"name": "Priya", "data": {"age": 34}}
        )
        page = self.opener.open(f"{url}/app/conversations/new").read().decode()
        self.token = re.search(r'name="csrf-token" content="([^"]+)"', page).group(1)  # type: ignore[union-attr]
        begun = self.post(f"/app/personas/{persona['persona_id']}/chat")
        self.conversation = re.search(r"/conversations/(\d+)", begun).group(1)  # type: ignore[union-attr]
        self.tokens: list[float] = []
        self.first: float | None = None
        self.last = 0.0
        self.done = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, path: str, body: dict[str, Any]) -> Any:
        ask = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(self.opener.open(ask, timeout=60))

    def post(self, path: str, **data: str) -> str:
        body = urllib.parse.urlencode({"csrf_token": self.token, **data}).encode()
        return self.opener.open(self.url + path, body, timeout=60).geturl()

    def ask(self) -> Answer:
        """Put a question and wait for the whole answer."""
        self.tokens, self.first, self.last = [], None, 0.0
        self.done.clear()
        began = time.time()
        self.post(f"/app/conversations/{self.conversation}/messages", message="How are you?")
        if not self.done.wait(60) or self.first is None:
            raise SystemExit("No answer came in a minute.")
        return Answer(self.tokens, self.first - began, self.last - began)

    def _listen(self) -> None:
        host = urllib.parse.urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(host, timeout=300)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        connection.request("GET", f"/stream?channel=audience&channel=user.{self.user_id}", headers={"Cookie": cookies})
        event = ""
        for line in connection.getresponse():
            text = line.decode().rstrip("\n")
            if text.startswith("event:"):
                event = text[6:].strip()
            elif text.startswith("data:"):
                self._take(event, text[5:], time.time())

    def _take(self, event: str, data: str, now: float) -> None:
        if event == "chat_token":
            self.first, self.last = self.first or now, now
            self.tokens += [now - float(sent) for sent in STAMP.findall(json.loads(data)["text"])]
        elif event == "chat_done":
            self.done.set()


def direct(port: int) -> Answer:
    """The same measured at the model itself."""
    connection = http.client.HTTPConnection(f"127.0.0.1:{port}", timeout=60)
    began = time.time()
    connection.request("POST", "/v1/chat/completions", "{}", {"Content-Type": "application/json"})
    delays, first, last = [], 0.0, 0.0
    for line in connection.getresponse():
        now = time.time()
        for sent in STAMP.findall(line.decode()):
            first, last = first or now, now
            delays.append(now - float(sent))
    return Answer(delays, first - began, last - began)


def line(name: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{name:<44} median {statistics.median(ordered) * 1000:7.1f} ms   p95 {high * 1000:7.1f} ms"


def main() -> None:
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    port = free_port()
    model = ThreadingHTTPServer(("127.0.0.1", port), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    settings = {"LOCAL_BASE_URL": f"http://127.0.0.1:{port}/v1", "LOCAL_MODEL": "bench", "AI_ORDER": "local,builtin"}
    stack = Stack(Path(tempfile.mkdtemp(prefix="parley-bench-")), **settings).start(workers=1)
    try:
        person = Person(stack.url)
        time.sleep(2)  # the audience's own jobs end, the event stream opens
        person.ask()  # the first answer makes the client
        runs = [person.ask() for _ in range(answers)]
        straight = [direct(port) for _ in range(answers)]
    finally:
        stack.stop()
        model.shutdown()
    report(runs, straight)


def report(runs: list[Answer], straight: list[Answer]) -> None:
    print(line("first token, added by Parley", [run.delays[0] for run in runs]))
    print(line("every token, added by Parley", [delay for run in runs for delay in run.delays]))
    print(line("every token, read directly", [delay for run in straight for delay in run.delays]))
    print(line("question to first token, through Parley", [run.first for run in runs]))
    print(line("question to first token, directly", [run.first for run in straight]))
    print(line("question to last token, through Parley", [run.last for run in runs]))
    print(line("question to last token, directly", [run.last for run in straight]))
    ratio = statistics.median(run.last for run in runs) / statistics.median(run.last for run in straight)
    print(f"{'whole answer, through Parley to directly':<44} {ratio:.2f} times")


if __name__ == "__main__":
    main()
