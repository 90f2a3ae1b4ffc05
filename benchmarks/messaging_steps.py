"""What the messages benchmark measures, step by step."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from benchmarks.messaging_data import EVERYONE, end, launch, make_campaign, make_segment
from benchmarks.messaging_servers import Processes
from benchmarks.segments_report import Report, cpu_seconds, resident_mb

RATES = (1, 10, 50, 200)
LIVE = ("queued", "running")
UPLOAD = "/messaging/api/v1/users/bulk"


class Steps:
    """Each tells what it found and holds it against its target."""

    def __init__(self, asked: argparse.Namespace, processes: Processes, report: Report) -> None:
        self.asked, self.processes, self.report = asked, processes, report

    def imports(self) -> None:
        """A CSV of numbers nobody knows, over HTTP, taken in by a worker."""
        count, boundary = self.asked.imports, "benchmark-boundary"
        first = 100_000_000 + int(time.time()) // 60 % 800 * 1_000_000  # others than a run before over kept data
        lines = "\n".join(f"+4917{first + one},OPT_IN,Name {one},Bonn" for one in range(count))
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n'
        body = f"{head}phone_e164,consent_state,name,city\n{lines}\n\r\n--{boundary}--\r\n".encode()
        began = time.perf_counter()
        one = self.processes.call("POST", f"{UPLOAD}/upload", body, f"multipart/form-data; boundary={boundary}")
        while one.get("state", "done") in LIVE or "created" not in one:
            time.sleep(0.1)
            one = self.processes.call("GET", f"{UPLOAD}/uploads/{one['upload_id']}")
        took = time.perf_counter() - began
        if one["created"] != count:
            raise SystemExit(f"The upload made {one['created']:,} of {count:,} people: {one}")
        print(f"import of {count:,} contacts: {took:.1f} s", flush=True)
        self.report.at_least("contacts imported", count / took, 5_000, "a second")

    def freeze(self) -> int:
        """A row for everyone, with the reason where none goes out; the campaign's id."""
        from app.core.db import unit_of_work
        from app.messaging.services import recipients

        campaign_id = make_campaign("Everyone", make_segment("Everyone", EVERYONE), None)
        launch(campaign_id)
        recipients.renew(campaign_id)
        began, longest, goes_on = time.perf_counter(), 0.0, True
        while goes_on:
            step = time.perf_counter()
            with unit_of_work():
                goes_on = recipients.freeze_step(campaign_id)
            longest = max(longest, time.perf_counter() - step)
        took = time.perf_counter() - began
        count = self._frozen(campaign_id)
        print(f"frozen: {count:,} people in {took:.1f} s, no transaction longer than {longest:.2f} s", flush=True)
        self.report.at_least("recipients frozen", count / took, 50_000, "a second")
        return campaign_id

    def _frozen(self, campaign_id: int) -> int:
        from app.core.db import db
        from app.messaging.models import Campaign

        count = db.session.get_one(Campaign, campaign_id, populate_existing=True).frozen_count
        db.session.rollback()
        return int(count)

    def send(self, campaign_id: int) -> None:
        """As fast as it goes, and what memory the workers take meanwhile."""
        first = self._wait(lambda: self.processes.sent() > 200)
        pids = self.processes.workers()
        began, sent, cpu = time.perf_counter(), self.processes.sent(), [cpu_seconds(pid) for pid in pids]
        memory = [sum(map(resident_mb, pids))]
        while (lasted := time.perf_counter() - began) < self.asked.run_seconds:
            time.sleep(min(5.0, self.asked.run_seconds - lasted + 0.01))
            memory.append(sum(map(resident_mb, pids)))
        took, count = time.perf_counter() - began, self.processes.sent() - sent
        used = sum(map(cpu_seconds, pids)) - sum(cpu)
        print(f"sending began {first:.1f} s after the workers; {count:,} messages in {took:.0f} s, "
              f"{used / max(1, count) * 1000:.2f} ms of a worker's time each")  # fmt: skip
        print(
            f"memory of the {len(pids)} workers: {memory[0]:,.0f} MB at first, {memory[-1]:,.0f} MB at last", flush=True
        )
        self.report.at_least(f"sent by {len(pids)} workers", count / took, 400, "messages a second")
        settled = memory[len(memory) // 4 :]
        self.report.at_most("memory gained while sending", settled[-1] - settled[0], 20, "MB")

    def stop(self, campaign_id: int) -> None:
        """People who are just about to be written to say STOP; what still arrives for them, and when."""
        late, before, answers = 0, [], []
        for _ in range(self.asked.stops):
            chosen = self._about_to_be_sent(campaign_id)
            with ThreadPoolExecutor(len(chosen)) as pool:
                told = dict(zip(chosen, pool.map(self._say_stop, chosen), strict=True))
            time.sleep(1.0)
            for at, number in self.processes.arrivals():
                if number not in told:
                    continue
                asked_at, answered_at = told[number]
                late += at > answered_at
                if asked_at <= at <= answered_at:
                    before.append(at - asked_at)
            answers += [answered - asked for asked, answered in told.values()]
        middle, most = statistics.median(answers) * 1000, max(answers) * 1000
        print(f"{len(answers)} said STOP in the middle: answered after {middle:.0f} ms (median), {most:.0f} ms (most); "
              f"{len(before)} got a message between STOP and answer, "
              f"the last {max(before, default=0) * 1000:.0f} ms after the STOP")  # fmt: skip
        self.report.at_most("messages after the STOP was answered", late, 1, "messages")

    def _about_to_be_sent(self, campaign_id: int) -> list[str]:
        """Some that are claimed or next."""
        from sqlalchemy import select

        from app.core.db import db
        from app.messaging.models import Message

        where = (Message.campaign_id == campaign_id, Message.state.in_(("claimed", "pending")))
        rows = db.session.scalars(select(Message.address).where(*where).order_by(Message.id).limit(400)).all()
        db.session.rollback()
        return list(rows[::20])

    def _say_stop(self, number: str) -> tuple[float, float]:
        asked_at = time.time()
        self.processes.control("POST", "/twilio/inbound", {"from": number, "to": self.asked.sender, "body": "STOP"})
        return asked_at, time.time()

    def pacing(self) -> None:
        """Campaigns at a pace, by when their messages arrived."""
        most = max(RATES) * (self.asked.pace_seconds + 10)
        segment_id = make_segment("Some", EVERYONE | {"to": min(100.0, most / self.asked.people * 130)})
        for rate in RATES:
            campaign_id = make_campaign(f"{rate} a second", segment_id, rate)
            seen = len(self.processes.arrivals())
            launch(campaign_id)
            self._wait(lambda seen=seen: self.processes.arrivals()[-1:] and len(self._new_arrivals()) > 0)
            times = self._watch()
            end(campaign_id)
            self._tell_pace(rate, times)
            self._wait(self._is_calm)

    def _new_arrivals(self) -> list[float]:
        return [at for at, _ in self.processes.arrivals() if at > time.time() - 1.5]

    def _watch(self) -> list[float]:
        """Arrivals of a while, its first second left out."""
        start = time.time() + 1.0
        until, times = start + self.asked.pace_seconds, set[tuple[float, str]]()
        while time.time() < until:
            time.sleep(1.0)
            times |= set(self.processes.arrivals())
        return sorted(at for at, _ in times if start <= at <= until)

    def _tell_pace(self, rate: int, times: list[float]) -> None:
        measured = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
        gaps = sorted(abs(after - one - 1 / rate) * 1000 for one, after in pairwise(times))
        uneven = gaps[int(len(gaps) * 0.95)] if gaps else 0.0
        print(f"pace {rate}: {measured:.3f} a second over {len(times)} messages, gaps off by {uneven:.0f} ms (p95)")
        self.report.at_most(f"pacing error at {rate} a second", abs(measured - rate) / rate * 100, 2, "%")

    def _is_calm(self) -> bool:
        sent = self.processes.sent()
        time.sleep(1.0)
        return self.processes.sent() == sent

    def _wait(self, probe: Callable[[], Any], seconds: float = 120.0) -> float:
        began = time.perf_counter()
        while not probe():
            if time.perf_counter() - began > seconds:
                raise SystemExit("It did not happen in time; see the logs with --folder.")
            time.sleep(0.05)
        return time.perf_counter() - began
