"""Workers and a second folder killed at random moments while batches arrive: everything is folded, and once."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]
ROOT = Path(__file__).resolve().parents[2]
PEOPLE, BATCHES, IN_BATCH = 30, 60, 40
OFTEN = {"type": "event", "event": "purchase", "count": {"at_least": 3}}
WAITING = "SELECT count(*) FROM fold_items"
AT_WORK = "SELECT count(*) FROM background_jobs WHERE name = 'cdp.fold' AND state = 'running'"
UNFINISHED = "SELECT count(*) FROM background_jobs WHERE name LIKE 'cdp.%' AND state IN ('queued', 'running')"
COUNTED = "SELECT count(*) FROM segments WHERE counted_at IS NOT NULL"
TAKEN_OVER = "SELECT count(*) FROM background_jobs WHERE name LIKE 'cdp.%' AND attempts > 1"
FOLDER = """
import time
from app import create_app
from app.cdp.services import folding
from app.core.db import release_connection, unit_of_work
from app.core.tenancy import tenant_scope
with create_app().app_context(), tenant_scope(1):
    while True:
        with unit_of_work():
            folded = folding.fold_step()
        release_connection()
        time.sleep(0 if folded else 0.02)
"""
CHECK = """
import json
from sqlalchemy import select
from app import create_app
from app.cdp.models import Profile, Segment, SegmentMember
from app.cdp.services import evaluation, index_check
from app.cdp.services.segment_rules import tree_of
from app.core.db import db
from app.core.tenancy import tenant_scope
with create_app().app_context(), tenant_scope(1):
    everyone = list(db.session.scalars(select(Profile.id)))
    row = db.session.scalars(select(Segment)).one()
    print(json.dumps({
        "people": len(everyone),
        "wrong": sorted(index_check.find_wrong(everyone)),
        "members": sorted(db.session.scalars(select(SegmentMember.profile_id))),
        "reference": list(evaluation.reference(tree_of(row))),
    }))
"""


class Sender:
    """A signed-in program that sends batches, some of them twice, and knows what it sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.sent: Counter[str] = Counter()
        self.faults: list[BaseException] = []

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with self.opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def send_all(self) -> None:
        try:
            for number in range(BATCHES):
                self._send(number)
        except (OSError, AssertionError) as fault:  # told by the test's own thread
            self.faults.append(fault)

    def _send(self, number: int) -> None:
        users = [f"u{(number * 7 + place) % PEOPLE}" for place in range(IN_BATCH)]
        events = [
            {"event_name": "purchase", "user_id": user, "message_id": f"{number}-{place}", "properties": {"amount": 1}}
            for place, user in enumerate(users)
        ]
        for turn in range(2 if number % 3 == 0 else 1):
            answer = self.post("/api/v1/cdp/events/batch", {"events": events})
            assert answer["accepted"] == (0 if turn else IN_BATCH), answer
        self.sent.update(users)


def ask(stack: Stack, statement: str) -> int:
    link = sqlite3.connect(f"file:{stack.folder / 'data' / 'parley.db'}?mode=ro", uri=True, timeout=15)
    try:
        return int(link.execute(statement).fetchone()[0])
    finally:
        link.close()


def wait_until(probe, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def kill_some(stack: Stack, chance: random.Random, sending: threading.Thread) -> None:
    """Now the second folder, now both workers, in the middle of their work, until everything was sent."""
    for turn in range(6):
        at_work = AT_WORK if turn % 2 else WAITING
        wait_until(lambda at_work=at_work: not sending.is_alive() or ask(stack, at_work), 60)
        time.sleep(chance.uniform(0, 0.2))
        for name in ("worker0", "worker1") if turn % 2 else ("folder",):
            stack.kill(name)
        if turn % 2:
            stack.start_worker("worker0")
            stack.start_worker("worker1")
        else:
            stack.run("folder", "-c", FOLDER)


def test_folders_killed_while_batches_arrive_lose_nothing_and_count_nothing_twice(tmp_path):
    stack = Stack(tmp_path).start(workers=2)
    try:
        sender = Sender(stack.url)
        credentials = {"email": "drill@example.com", "password": "a good password"}
        sender.post("/signup", credentials)
        sender.post("/login", credentials)
        sender.post("/api/v1/cdp/segments", {"name": "Often", "conditions": OFTEN})
        wait_until(lambda: ask(stack, COUNTED) == 1, 60)  # who comes later has entered
        stack.run("folder", "-c", FOLDER)
        sending = threading.Thread(target=sender.send_all)
        sending.start()
        kill_some(stack, random.Random(7), sending)
        sending.join(240)
        assert (sender.faults, sending.is_alive()) == ([], False)
        wait_until(lambda: ask(stack, WAITING) + ask(stack, UNFINISHED) == 0, 120)
        assert ask(stack, TAKEN_OVER) > 0
        assert ask(stack, "SELECT count(*) FROM events") == BATCHES * IN_BATCH
        assert ask(stack, "SELECT sum(n) FROM computed") == BATCHES * IN_BATCH
        said = subprocess.run(
            [sys.executable, "-c", CHECK], cwd=ROOT, env=stack.env, capture_output=True, check=True, timeout=120
        )
        found = json.loads(said.stdout.splitlines()[-1])
        assert (found["people"], found["wrong"]) == (PEOPLE, [])
        assert found["members"] == found["reference"]
        assert len(found["members"]) == sum(count >= 3 for count in sender.sent.values()) == PEOPLE
        told = "SELECT count(*) FROM segment_changes GROUP BY segment_id, profile_id ORDER BY 1 DESC LIMIT 1"
        assert ask(stack, told) == 1
    finally:
        stack.stop()
