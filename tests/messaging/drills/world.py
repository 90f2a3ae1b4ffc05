"""A world of processes: the sandbox over HTTP, a store, a database, workers, what wakes them, and a desk."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.sandbox.services.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from tests.messaging.campaign import SENDER
from tests.messaging.drills.desk import ANSWER
from tests.support.sandbox import RunningSandbox
from tests.support.stack import ROOT, Stack


class World(Stack):
    """Claims run out after six seconds here, so that a drill is over soon."""

    def __init__(self, folder: Path, sandbox: RunningSandbox, **settings: str) -> None:
        base = f"{sandbox.url}/twilio"
        twilio = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN, "TWILIO_SMS_SENDER": SENDER,
            "TWILIO_SENDER_RATE": "0", "TWILIO_BASE_URL": base, "TWILIO_CONTENT_BASE_URL": f"{base}/content",
            "TWILIO_MESSAGING_BASE_URL": f"{base}/messaging", "TWILIO_TIMEOUT_SECONDS": "1",
            "MESSAGE_CLAIM_SECONDS": "6", "MESSAGE_DOUBT_SECONDS": "2", "JOB_LEASE_SECONDS": "1.5",
            "JOB_HEARTBEAT_SECONDS": "0.4", "ALLOW_PRIVATE_URLS": "true", "RATE_LIMIT_FACTOR": "1000",
            "SANDBOX_URL": "",
        }  # fmt: skip
        super().__init__(folder, **(twilio | settings))
        self.env |= {"PUBLIC_URL": self.url}
        self.sandbox = sandbox
        # All arrive: one that a look-up found lost would be tried again in a quarter of an hour.
        sandbox.control.twilio(callbacks=False, outcomes={"delivered": 1.0}, inbound_url=f"{self.url}/webhooks/inbound")
        self.talks: dict[str, subprocess.Popen[str]] = {}
        self.workers: dict[str, int] = {}

    def begin(self) -> World:
        """Store, tables and desk; no worker yet."""
        self.prepare()
        for name in ("desk", "nursery"):
            self._open(name)
        for name in self.talks:
            self._answer(name)
        self.ask("sign_up")
        return self

    def _open(self, name: str) -> None:
        """A process of the drill's own that is spoken to line by line."""
        log = (self.folder / f"{name}.log").open("ab")
        self.talks[name] = subprocess.Popen(
            [sys.executable, "-m", f"tests.messaging.drills.{name}"], cwd=ROOT, env=self.env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip

    def ask(self, wish: str, /, **values: Any) -> Any:
        """Have the desk do something; its answer."""
        return self._say("desk", json.dumps([wish, values]))

    def _say(self, name: str, line: str) -> Any:
        pipe = self.talks[name].stdin
        assert pipe is not None
        pipe.write(line + "\n")
        pipe.flush()
        return self._answer(name)

    def _answer(self, name: str) -> Any:
        for line in self.talks[name].stdout or ():
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER))
        raise RuntimeError((self.folder / f"{name}.log").read_text()[-3000:])

    def start_worker(self, name: str) -> None:
        self.workers[name] = self._say("nursery", f"start {self.folder / name}.log")

    def start_workers(self, count: int = 2) -> None:
        for number in range(count):
            self.start_worker(f"worker{number}")

    def kill_worker(self, name: str) -> None:
        """As a crash would: no goodbye."""
        ended_by = self._say("nursery", f"kill {self.workers.pop(name)}")
        assert ended_by == signal.SIGKILL, (
            f"{name} had ended by itself\n{(self.folder / name).with_suffix('.log').read_text()}"
        )

    def start_ticker(self) -> None:
        self.run("ticker", "-m", "tests.messaging.drills.ticker")

    def start_web(self, name: str = "web", port: int = 0) -> None:
        self.run(name, "-m", "gunicorn", "-k", "gevent", "-w", "1", "-b", f"127.0.0.1:{port or self.port}",
                 "--graceful-timeout", "2", "wsgi:app")  # fmt: skip

    def sent(self) -> int:
        """How many messages the sandbox took."""
        return self.sandbox.control.messages()["messages"]

    def provider_messages(self) -> list[dict[str, Any]]:
        """What the provider itself says of its messages."""
        path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?PageSize=1000"
        request = urllib.request.Request(f"{self.sandbox.url}/twilio{path}")
        secret = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: list[dict[str, Any]] = json.load(answer)["messages"]
        return found

    def complete(self, campaign_id: int, seconds: float = 90.0) -> dict[str, Any]:
        """Wait until the campaign completed by itself; how it stands then."""
        try:
            wait_until(lambda: self.ask("is_complete", campaign_id=campaign_id), seconds, every=0.2)
        except AssertionError:
            raise AssertionError(f"{self.ask('report', campaign_id=campaign_id)}\n{self.logs()}") from None
        found: dict[str, Any] = self.ask("report", campaign_id=campaign_id)
        return found

    def logs(self) -> str:
        """The end of every log."""
        return "\n".join(f"{one.name}: {one.read_text()[-2500:]}" for one in self.folder.glob("*.log"))

    def stop(self) -> None:
        try:
            for name in list(self.workers):
                self.kill_worker(name)
        finally:
            for process in self.talks.values():
                process.kill()
                process.wait(5)
            super().stop()


def wait_until(probe: Callable[[], Any], seconds: float = 40.0, *, every: float = 0.02) -> Any:
    """Wait until `probe` gives something true, and give it back."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(every)
    raise AssertionError("it did not happen in time")


def assert_each_once(world: World, campaign_id: int, people: int, seconds: float = 90.0) -> None:
    """The campaign completes by itself; each has one message, at the sandbox and here, and all adds up."""
    found = world.complete(campaign_id, seconds)
    at_sandbox = world.sandbox.control.messages()
    counts = (at_sandbox["messages"], at_sandbox["distinct_to"], at_sandbox["by_to_duplicates"])
    assert counts == (people, people, 0), found
    assert (found["people"], found["sids"], found["adds_up"]) == (people, people, True), found
    assert found["messages"].keys() <= {"queued", "sent", "delivered", "undelivered", "failed"}, found
