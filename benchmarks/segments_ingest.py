"""What comes in and what goes: events over HTTP against raw inserts, imports, and erasing one person."""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.segments_data import CITIES, NAMES, seconds
from benchmarks.segments_report import Report, most_mb, resident_mb
from benchmarks.segments_servers import Call, Servers, running, send_all

BATCH = 1000
SINGLES, SINGLE_SECONDS = 5_000, 15.0
EVENTS = "/api/v1/cdp/events"
IMPORTS = "/api/v1/cdp/imports"
FEW, MANY = range(1, 30), range(700, 1500)


class Ingest:
    """The measured part. Everything goes through the API of running servers; only raw inserts do not."""

    def __init__(self, asked: argparse.Namespace, folder: Path, report: Report) -> None:
        self.asked, self.folder, self.report = asked, folder, report
        self.run = f"{time.time_ns():x}"  # kept data may have been through this before

    def measure(self, steps: set[str]) -> None:
        """Raw inserts first, with nothing else running; then the servers."""
        raw = self.raw_inserts() if "ingest" in steps else 0.0
        with running(self.folder, _make_key()) as servers:
            if "ingest" in steps:
                self.singles(servers, raw)
                self.batches(servers, raw)
            if "imports" in steps:
                self.imports(servers)
            if "erase" in steps:
                self.erase(servers)
            web, worker = servers.web_pid, servers.worker_pid
            print(
                f"memory: web {resident_mb(web):,.0f} MB (at most {most_mb(web):,.0f}), "
                f"worker {resident_mb(worker):,.0f} MB (at most {most_mb(worker):,.0f})"
            )

    def raw_inserts(self) -> float:
        """Events a second by the driver alone, in transactions of a thousand, with every index of the table."""
        from sqlalchemy import select

        from app.cdp.models import EventName
        from app.core.db import db, unit_of_work
        from app.core.tenancy import current_tenant_id

        name_ids = dict(db.session.execute(select(EventName.name, EventName.id)).all())
        columns = "profile_id, source_profile_id, name_id, at, day, received_at, message_id, properties, context"
        statement = (
            f"INSERT INTO events (tenant_id, {columns}) VALUES ({current_tenant_id()}, ?, ?, ?, ?, ?, ?, ?, ?, '{{}}')"
        )
        events = list(self._events(self.asked.ingest, "raw"))
        living = _living(_who(event) for event in events)  # those who were erased in a run before are not there
        rows = [_raw(event, name_ids) for event in events if _who(event) in living]

        def write() -> None:
            for start in range(0, len(rows), BATCH):
                with unit_of_work():
                    link: Any = db.session.connection().connection.dbapi_connection
                    link.executemany(statement, rows[start : start + BATCH])

        rate = len(rows) / seconds(write)
        print(f"raw inserts, {BATCH} a transaction: {rate:,.0f} events a second", flush=True)
        return rate

    def singles(self, servers: Servers, raw: float) -> None:
        calls = [
            Call("POST", EVENTS, json.dumps(one).encode()) for one in self._events(min(SINGLES, self.asked.ingest), "s")
        ]
        send_all(servers, calls[:100], within=SINGLE_SECONDS)  # connections, statements, imports
        cpu, start = servers.cpu(), time.perf_counter()
        took = sorted(send_all(servers, calls[100:], within=SINGLE_SECONDS))
        rate = len(took) / (time.perf_counter() - start)
        median, p95 = statistics.median(took) * 1000, took[int(len(took) * 0.95)] * 1000
        each = (servers.cpu() - cpu) / len(took) * 1000
        print(
            f"one event a call: {rate:,.0f} a second ({rate / raw:.3f} of raw), median {median:.1f} ms, "
            f"p95 {p95:.1f} ms, {each:.1f} ms of the web process each",
            flush=True,
        )
        _wait_until_folded()

    def batches(self, servers: Servers, raw: float) -> None:
        calls = [
            Call("POST", f"{EVENTS}/batch", json.dumps({"events": part}).encode())
            for part in _parts(self._events(self.asked.ingest, "b"))
        ]
        cpu, start = servers.cpu(), time.perf_counter()
        took = sorted(send_all(servers, calls))
        whole = time.perf_counter() - start
        rate, each = self.asked.ingest / whole, (servers.cpu() - cpu) / len(calls) * 1000
        folded = _wait_until_folded()
        print(
            f"{BATCH} events a call: {rate:,.0f} a second, median {statistics.median(took) * 1000:.0f} ms a call, "
            f"{each:.0f} ms of the web process each; all folded {folded:.1f} s later "
            f"({self.asked.ingest / (whole + folded):,.0f} a second to the end)",
            flush=True,
        )
        self.report.at_least("batch ingest over HTTP", rate, 5_000, "events a second")
        self.report.at_least("batch ingest against raw inserts", rate / raw, 1 / 3, "of their rate")

    def imports(self, servers: Servers) -> None:
        """A table of people nobody knows, then events as JSON lines, each taken in by the worker."""
        count = self.asked.imports
        for kind, name, body in (
            ("people", "people.csv", self._people_table(count)),
            ("events", "events.jsonl", "\n".join(map(json.dumps, self._events(count, "i"))).encode()),
        ):
            one = json.loads(servers.call(_upload(kind, name, body)))
            mapping = one["suggested_mapping"] if kind == "people" else {}
            began = time.perf_counter()
            servers.call(Call("POST", f"{IMPORTS}/{one['id']}/start", json.dumps({"mapping": mapping}).encode()))
            while (one := json.loads(servers.call(Call("GET", f"{IMPORTS}/{one['id']}"))))["state"] in (
                "queued",
                "running",
            ):
                time.sleep(0.1)
            took = time.perf_counter() - began
            if one["accepted"] != count:
                raise SystemExit(f"The import took in {one['accepted']:,} of {count:,} rows: {one}")
            folded = _wait_until_folded()
            print(f"import of {count:,} {kind}: {took:.1f} s; all folded {folded:.1f} s later", flush=True)
            self.report.at_least(f"import of {kind}", count / took, 5_000, "rows a second")

    def erase(self, servers: Servers) -> None:
        for what, span, most in (("a few events", FEW, 20), ("about 1,000 events", MANY, 5)):
            chosen = _people_with(span, most)
            took = [
                seconds(lambda one=one: servers.call(Call("DELETE", f"/api/v1/cdp/profiles/{one}"))) * 1000
                for one in chosen
            ]
            if not took:
                print(f"nobody has {what}: left out")
                continue
            folded = _wait_until_folded()
            print(
                f"erasing {len(took)} people with {what}: median {statistics.median(took):.0f} ms; "
                f"out of the index {folded:.1f} s later"
            )
            self.report.at_most(f"erasing one person with {what}, slowest", max(took), 200, "ms")

    def _events(self, count: int, prefix: str) -> Iterator[dict[str, Any]]:
        """Of people who are known, within the last day; some of them do much more than others."""
        from app.core.clock import utc_now

        draw, now = random.Random(prefix), utc_now()
        for number in range(count):
            name = draw.choices(list(NAMES), list(NAMES.values()))[0]
            amount = {"amount": draw.randint(100, 20_000) / 100} if name in ("purchase", "add_to_cart") else {}
            yield {
                "event_name": name,
                "user_id": f"u{int(self.asked.people * draw.random() ** 1.6) + 1}",
                "message_id": f"{self.run}-{prefix}-{number}",
                "timestamp": (now - timedelta(seconds=draw.randint(0, 86_400))).isoformat(),
                "properties": {"channel": draw.choice(["web", "app", "shop"]), **amount},
            }

    def _people_table(self, count: int) -> bytes:
        draw, text = random.Random(5), io.StringIO()
        table = csv.writer(text)
        table.writerow(["user_id", "email", "name", "city", "age"])
        for number in range(count):
            who = f"{self.run}-{number}"
            row = [who, f"{who}@mail.example", f"Person {number}", draw.choice(CITIES), draw.randint(16, 90)]
            table.writerow(row)
        return text.getvalue().encode()


def _make_key() -> str:
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with unit_of_work():
        return api_keys.create("Benchmark", ["read", "write", "events"], created_by=None, expires_at=None)[1]


def _raw(event: dict[str, Any], name_ids: dict[str, int]) -> tuple[Any, ...]:
    at = datetime.fromisoformat(event["timestamp"])
    who, text = _who(event), at.strftime("%Y-%m-%d %H:%M:%S.%f")
    properties = json.dumps(event["properties"])
    day = int(at.timestamp() // 86_400)
    return (who, who, name_ids[event["event_name"]], text, day, text, event["message_id"], properties)


def _who(event: dict[str, Any]) -> int:
    """Whoever has been there from the start is known by their id."""
    return int(event["user_id"][1:])


def _living(ids: Iterable[int]) -> set[int]:
    from sqlalchemy import select

    from app.cdp.models import Profile
    from app.cdp.queries.lists import ids_in
    from app.core.db import db

    return set(db.session.scalars(select(Profile.id).where(Profile.id.in_(ids_in(sorted(set(ids)))))))


def _parts(events: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for event in events:
        part.append(event)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part


def _upload(kind: str, name: str, body: bytes) -> Call:
    edge = "parley-benchmark-edge"
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="kind"\r\n\r\n{kind}\r\n'
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    whole = head.encode() + body + f"\r\n--{edge}--\r\n".encode()
    return Call("POST", IMPORTS, whole, f"multipart/form-data; boundary={edge}")


def _wait_until_folded() -> float:
    """Seconds until nothing waits for the folder."""
    from sqlalchemy import func, select

    from app.cdp.models import FoldItem
    from app.core.db import db

    start = time.perf_counter()
    for _ in range(36_000):
        waiting = db.session.scalar(select(func.count()).select_from(FoldItem).where(FoldItem.kind != "touched"))
        db.session.rollback()
        if not waiting:
            return time.perf_counter() - start
        time.sleep(0.1)
    raise SystemExit("The folder does not come to an end.")


def _people_with(span: range, most: int) -> list[int]:
    """People with so many events: from the front, where the busiest are, or from the middle."""
    from sqlalchemy import func, select

    from app.cdp.models import ProfileEvent
    from app.core.db import db

    everyone = db.session.scalar(select(func.max(ProfileEvent.profile_id))) or 0
    first = 1 if span is MANY else everyone // 2
    counted = (
        select(ProfileEvent.profile_id)
        .where(ProfileEvent.profile_id.between(first, first + 2000))
        .group_by(ProfileEvent.profile_id)
        .having(func.count().between(span.start, span.stop - 1))
        .order_by(ProfileEvent.profile_id)
        .limit(most)
    )
    found = list(db.session.scalars(counted))
    db.session.rollback()
    return found
