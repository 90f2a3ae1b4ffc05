"""Conversations for tests: begun and asked in through the pages, read through the API and the event stream."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from tests.insights.panels import Panel


def csrf(client: Any) -> str:
    """The token a page's forms carry."""
    page = client.get("/app/conversations/new").text
    return re.search(r'name="csrf-token" content="([^"]+)"', page).group(1)  # type: ignore[union-attr]


class Talk:
    """One conversation as its user drives it."""

    def __init__(self, client: Any, panel: Panel, name: str = "Priya Nair", **data: Any) -> None:
        self.client = client
        self.token = csrf(client)
        answer = self.post(f"/app/personas/{panel.personas[name]}/chat", **data)
        assert answer.status_code == 303, answer.text
        self.id = int(re.search(r"/app/conversations/(\d+)", answer.location).group(1))  # type: ignore[union-attr]

    def post(self, url: str, **data: Any) -> Any:
        return self.client.post(url, data={"csrf_token": self.token, **data})

    def say(self, text: str, **data: Any) -> Any:
        return self.post(f"/app/conversations/{self.id}/messages", message=text, **data)

    def act(self, turn_id: int, what: str) -> Any:
        return self.post(f"/app/conversations/turns/{turn_id}/{what}")

    def page(self) -> str:
        return self.client.get(f"/app/conversations/{self.id}").text

    def turns(self) -> list[int]:
        """Ids of the messages on the page, in order."""
        return [int(found) for found in re.findall(r'id="turn-(\d+)"', self.page())]

    def messages(self) -> list[dict[str, Any]]:
        return self.client.get(f"/chat/{self.id}").get_json()["messages"]

    def snapshot(self, turn_id: int) -> dict[str, Any]:
        return self.client.get(f"/app/conversations/turns/{turn_id}").get_json()


def heard(member: Any, name: str = "") -> list[dict[str, Any]]:
    """What the member's own event stream carried, oldest first; with a name only those events."""
    from app.core.redis import get_redis
    from app.core.sse import channel_key

    rows = get_redis().xrange(channel_key(member.tenant_id, f"user.{member.id}"))
    events = [{"event": fields[b"e"].decode(), **json.loads(fields[b"d"])} for _, fields in rows]
    return [event for event in events if not name or event["event"] == name]


class Worker:
    """Runs waiting jobs in a thread while the block runs, as a worker process would."""

    def __init__(self, app: Any, run_jobs: Any) -> None:
        self._app, self._run_jobs = app, run_jobs
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _work(self) -> None:
        with self._app.app_context():
            while not self._over.wait(0.02):
                self._run_jobs()
