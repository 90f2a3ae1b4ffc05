"""How fast conditions are answered: a workspace of N people and M events, previews against hand-written SQL,
refreshes against what changed, the rebuild, memory and disk. All of it in one run, on one machine and one data set.

    python benchmarks/segments.py --people 100000 --events 2000000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.segment_sql import ByHand  # noqa: E402 - found only after the line above
from tests.support.valkey import Valkey  # noqa: E402

NAMES = {"view": 0.46, "visit": 0.2, "search": 0.12, "add_to_cart": 0.08, "purchase": 0.08, "email_open": 0.06}
CITIES = ["Berlin", "Hamburg", "Munich", "Cologne", "Leipzig", "Dresden", "Bremen", "Bonn", "Kiel", "Mainz"]
DAYS = 365
BLOCK = 100_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="cold previews of each condition")
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--folder", help="where the data goes; kept when given, and used again when there")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="parley-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    store = Valkey(folder)
    store.start()
    os.environ |= {"ENVIRONMENT": "test", "DATA_DIR": str(folder), "LOG_LEVEL": "ERROR", "REDIS_URL": store.url}
    try:
        run(asked, folder)
    finally:
        store.stop()
        if not asked.folder:
            shutil.rmtree(folder)


def run(asked: argparse.Namespace, folder: Path) -> None:
    from app import create_app
    from app.core.db import db
    from app.core.tenancy import platform_scope, tenant_scope

    app = create_app()
    with app.app_context():
        with platform_scope():
            db.create_all()
            tenant_id = fill(asked)
        with tenant_scope(tenant_id):
            bench = Bench(asked, folder)
            for step in (bench.rebuild, bench.previews, bench.duckdb, bench.refreshes, bench.sizes):
                step()


def seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def fill(asked: argparse.Namespace) -> int:
    """People and events straight into the tables; the tenant's id."""
    from sqlalchemy import select

    from app.accounts.models import Tenant
    from app.cdp.models import ConsentState, EventName, Profile
    from app.core.db import db, unit_of_work
    from app.core.tenancy import tenant_scope

    known = db.session.scalar(select(Tenant.id).limit(1))
    if known:
        return known
    with unit_of_work():
        tenant = Tenant(name="Benchmark", slug="benchmark")
        db.session.add(tenant)
        db.session.flush()
        tenant_id = tenant.id
    with tenant_scope(tenant_id), unit_of_work():
        db.session.add_all(EventName(name=name) for name in NAMES)
        db.session.flush()
        name_ids = dict(db.session.execute(select(EventName.name, EventName.id)).all())
    took = seconds(lambda: [_write(Profile, rows) for rows in chunks(people(tenant_id, asked.people))])
    _write(ConsentState, consents(tenant_id, asked.people))
    took += (events := seconds(lambda: write_deeds(tenant_id, asked, name_ids)))
    print(f"filled in {took:.0f} s; raw inserts of events: {asked.events / events:,.0f} a second", flush=True)
    return tenant_id


def chunks(rows: Iterator[dict[str, Any]], size: int = 50_000) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == size:
            yield part
            part = []
    yield part


def _write(model: Any, rows: list[dict[str, Any]]) -> None:
    """Rows as the driver takes them: SQLAlchemy alone would cost more than the database."""
    from app.core.db import db, unit_of_work

    if not rows:
        return
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({marks})"
    with unit_of_work():
        raw: Any = db.session.connection().connection.dbapi_connection
        raw.executemany(statement, [[_plain(row[name]) for name in names] for row in rows])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value)
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if hasattr(value, "strftime") else value


def people(tenant_id: int, count: int) -> Iterator[dict[str, Any]]:
    from app.core.clock import utc_now

    now, draw = utc_now(), random.Random(1)
    for number in range(1, count + 1):
        traits = {
            "city": draw.choice(CITIES),
            "age": draw.randint(16, 90),
            "plan": draw.choice(["free", "pro", "gold"]),
        }
        if number % 3 == 0:
            traits["birthday"] = f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        yield {
            "id": number,
            "tenant_id": tenant_id,
            "name": f"Person {number}",
            "name_key": f"person {number}",
            "surname_key": "",
            "email": f"p{number}@mail{number % 50}.example" if number % 4 else "",
            "phone": "",
            "user_id": "",
            "traits": traits,
            "lifecycle": draw.choice(["anonymous", "known", "lead", "customer"]),
            "merged_into_id": None,
            "first_seen_at": now,
            "last_seen_at": now,
            "created_at": now,
            "updated_at": now,
        }


def consents(tenant_id: int, count: int) -> list[dict[str, Any]]:
    from app.core.clock import utc_now

    now, draw = utc_now(), random.Random(2)
    return [
        {
            "tenant_id": tenant_id,
            "profile_id": number,
            "channel": channel,
            "at": now,
            "state": "granted" if draw.random() < 0.7 else "denied",
        }
        for number in range(1, count + 1)
        for channel in ("sms", "email")
        if draw.random() < 0.5
    ]


def write_deeds(tenant_id: int, asked: argparse.Namespace, name_ids: dict[str, int]) -> None:
    """Events in the order of time, a year of them up to now; some people do much more than others. Drawn by the
    block, and written as the driver takes them."""
    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work

    draw, now = np.random.default_rng(3), utc_now().timestamp()
    columns = "profile_id, source_profile_id, name_id, at, day, received_at, properties, tenant_id, context"
    statement = f"INSERT INTO events ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, {tenant_id}, '{{}}')"
    ids, weights = [name_ids[name] for name in NAMES], np.array(list(NAMES.values()))
    with_amount = {name_ids["purchase"], name_ids["add_to_cart"]}
    for start in range(0, asked.events, BLOCK):
        count = min(BLOCK, asked.events - start)
        seconds_ago = (DAYS - 1) * 86_400 * (1 - np.arange(start, start + count) / asked.events)
        times = now - seconds_ago
        texts = np.char.replace(
            np.datetime_as_string((times * 1e6).astype("datetime64[us]"), unit="us"), "T", " "
        ).tolist()
        who = ((asked.people * draw.random(count) ** 1.6).astype(np.int64) + 1).tolist()
        names = draw.choice(ids, count, p=weights / weights.sum()).tolist()
        channels = draw.choice(["web", "app", "shop"], count).tolist()
        amounts = (draw.integers(100, 20_000, count) / 100).tolist()
        days = (times // 86_400).astype(np.int64).tolist()
        properties = [
            f'{{"channel": "{channel}", "amount": {amount}}}' if name in with_amount else f'{{"channel": "{channel}"}}'
            for name, channel, amount in zip(names, channels, amounts, strict=True)
        ]
        with unit_of_work():
            raw: Any = db.session.connection().connection.dbapi_connection
            raw.executemany(statement, zip(who, who, names, texts, days, texts, properties, strict=True))


def deed(tenant_id: int, count: int, name_ids: dict[str, int], draw: random.Random, at: Any) -> dict[str, Any]:
    from app.cdp.services.engine.days import day_of

    who = int(count * draw.random() ** 1.6) + 1
    name = draw.choices(list(NAMES), list(NAMES.values()))[0]
    properties: dict[str, Any] = {"channel": draw.choice(["web", "app", "shop"])}
    if name in ("purchase", "add_to_cart"):
        properties["amount"] = draw.randint(100, 20_000) / 100
    return {
        "tenant_id": tenant_id,
        "profile_id": who,
        "source_profile_id": who,
        "name_id": name_ids[name],
        "at": at,
        "day": day_of(at, "UTC"),
        "message_id": None,
        "properties": properties,
        "context": {},
        "received_at": at,
    }


def trait(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"type": "trait", "trait": name, "operator": operator, "value": value}


def did(event: str, window: Any = "last_90_days", **more: Any) -> dict[str, Any]:
    return {"type": "event", "event": event, "time_window": window, **more}


def both(*parts: dict[str, Any], operator: str = "and") -> dict[str, Any]:
    return {"operator": operator, "conditions": list(parts)}


BIG = {"type": "computed_trait", "trait": "total_purchases", "operator": "greater_than", "value": 500}
SMS = {"type": "consent", "channel": "sms", "state": "granted"}
LEAVES = [
    trait("city", "in", ["Berlin", "Hamburg", "Kiel"]),
    did("purchase"),
    SMS,
    BIG,
    trait("age", "between", [25, 44]),
    did("visit", "last_30_days", operator="not_occurred"),
    did("view", "last_60_days", count={"at_least": 3}),
    trait("plan", "not_equals", "free"),
    {"type": "lifecycle", "operator": "in", "value": ["lead", "customer"]},
    did("add_to_cart", {"from_days_ago": 120, "to_days_ago": 30}),
]
CONDITIONS: list[dict[str, Any]] = [
    LEAVES[0],
    LEAVES[1],
    BIG,
    trait("email", "contains", "@mail7."),
    did("purchase", where=[{"property": "amount", "operator": "greater_than", "value": 150}]),
    did(
        "purchase",
        "last_365_days",
        aggregate={"function": "sum", "property": "amount", "operator": "greater_than", "value": 300},
    ),
    {
        "type": "sequence",
        "steps": [{"event": "add_to_cart"}, {"event": "purchase"}],
        "within_days": 7,
        "time_window": "last_90_days",
    },
    {"type": "rank", "computed_trait": "total_purchases", "operator": "top", "percent": 10},
    both(BIG, LEAVES[1]),
    both(
        did("purchase", count={"at_least": 2}), did("purchase", "last_30_days", operator="not_occurred"), SMS, LEAVES[0]
    ),
    both(*LEAVES[:3]),
    both(*LEAVES[:4]),
    both(*LEAVES[:5]),
    both(*LEAVES[:5], operator="or"),
    both(*LEAVES[:6]),
    both(*LEAVES[:7]),
    both(*LEAVES[:8]),
    both(*LEAVES[:9]),
    both(*LEAVES),
    both(both(*LEAVES[:5], operator="or"), both(*LEAVES[5:], operator="or")),
]


class Bench:
    """The measured part."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        from sqlalchemy import func, select

        from app.cdp.models import ProfileEvent
        from app.core.db import db

        self.asked, self.folder = asked, folder
        self.today: int = db.session.scalar(select(func.max(ProfileEvent.day)))  # of data that was kept, then
        db.session.rollback()

    def rebuild(self) -> None:
        from app.cdp.services import rebuilding

        took = seconds(rebuilding.rebuild)
        print(f"rebuild: {took:.1f} s, {self.asked.events / took:,.0f} events a second", flush=True)

    def previews(self) -> None:
        """Cold: nothing of the slices in memory. Warm: slices in memory, but the index has changed since (the answers
        of leaves are not used again). The SQL is the same condition as one statement."""
        from sqlalchemy import text

        from app.cdp.services import evaluation
        from app.cdp.services.conditions import parse
        from app.cdp.services.engine import cache
        from app.core.db import db

        by_hand = self._by_hand(evaluation.context(today=self.today))
        print(
            f"{'leaves':>6} {'people':>9} {'cold ms':>9} {'warm ms':>9} {'again ms':>9} {'SQL ms':>9} {'SQL/warm':>9}"
        )
        cold_all, warm_all, ratios = [], [], []
        for raw in CONDITIONS:
            tree, statement = parse(raw), text(by_hand.statement(raw))
            cold, warm = [], []
            for _ in range(self.asked.repeat):
                cache.slices.clear()
                cache.leaves.clear()
                db.session.rollback()
                cold.append(seconds(lambda tree=tree: evaluation.evaluate(tree, today=self.today)) * 1000)
                for _ in range(3):
                    cache.leaves.clear()
                    warm.append(seconds(lambda tree=tree: evaluation.evaluate(tree, today=self.today)) * 1000)
            again = seconds(lambda tree=tree: evaluation.evaluate(tree, today=self.today)) * 1000
            found = evaluation.evaluate(tree, today=self.today)
            sql = [seconds(lambda statement=statement: db.session.scalar(statement)) * 1000 for _ in range(3)]
            if len(found) != db.session.scalar(statement):
                raise SystemExit(f"The answers differ for {json.dumps(raw)}")
            cold_all += cold
            warm_all += warm
            middle, slow = statistics.median(warm), statistics.median(sql)
            ratios.append(slow / middle)
            row = f"{sum(1 for _ in tree.leaves()):>6} {len(found):>9,} {statistics.median(cold):>9.1f} {middle:>9.1f}"
            print(f"{row} {again:>9.2f} {slow:>9.0f} {ratios[-1]:>9.1f}", flush=True)
        for name, all_of in (("cold", cold_all), ("warm", warm_all)):
            p95 = sorted(all_of)[int(len(all_of) * 0.95)]
            print(f"preview {name}: median {statistics.median(all_of):.1f} ms, p95 {p95:.1f} ms")
        print(f"SQL by hand takes {statistics.median(ratios):.0f} times as long as warm (median)", flush=True)

    def _by_hand(self, ctx: Any) -> ByHand:
        """The database knows its tables by then, as one that is looked after would."""
        from sqlalchemy import select, text

        from app.cdp.models import EventName
        from app.core.db import db

        db.session.execute(text("ANALYZE"))
        names = dict(db.session.execute(select(EventName.name, EventName.id)).all())
        db.session.rollback()
        return ByHand(ctx.tenant_id, ctx.today, names)

    def duckdb(self) -> None:
        """For reference: three of the conditions by DuckDB over the same rows, when it is installed."""
        try:
            import duckdb
        except ImportError:
            print("duckdb: not installed, left out")
            return
        link = duckdb.connect()
        link.execute(f"ATTACH '{self.folder / 'parley.db'}' AS src (TYPE sqlite)")
        link.execute(
            "CREATE TABLE events AS SELECT profile_id, name_id, day, "
            "json_extract(properties, '$.amount')::DOUBLE AS amount FROM src.events"
        )
        sql = (
            "SELECT count(*) FROM (SELECT profile_id FROM events WHERE name_id = 5 GROUP BY 1 HAVING sum(amount) > 500)"
        )
        took = statistics.median(seconds(lambda: link.execute(sql).fetchall()) for _ in range(5))
        print(f"duckdb: lifetime purchases over 500: {took * 1000:.1f} ms")

    def refreshes(self) -> None:
        from app.cdp.models import Segment
        from app.cdp.services import folding, refresh
        from app.core.db import db, unit_of_work

        with unit_of_work():
            for number in range(self.asked.segments):
                raw = CONDITIONS[number % len(CONDITIONS)]
                extra = trait("age", "greater_than", 16 + number % 40)
                db.session.add(Segment(name=f"Segment {number}", conditions=both(raw, extra)))
        full = seconds(refresh.refresh_all)
        print(f"first count of {self.asked.segments} segments: {full:.1f} s")
        with unit_of_work():
            from sqlalchemy import update

            db.session.execute(update(Segment).values(counted_version=0))
        full = seconds(refresh.refresh_all)
        print(f"everyone looked at again in {self.asked.segments} segments: {full:.2f} s", flush=True)
        for count in (1_000, 10_000, 100_000):
            self._more_events(count)
            steps: list[float] = []

            def step() -> bool:
                with unit_of_work():
                    return bool(folding.fold_step())

            while True:
                start = time.perf_counter()
                if not step():
                    break
                steps.append(time.perf_counter() - start)
            took = seconds(refresh.refresh_all)
            folded = f"folded in {sum(steps):.2f} s (longest step {max(steps):.2f} s)"
            less = f"{full / took:.1f} times less than everyone"
            print(f"{count:>7,} new events: {folded}, refreshed in {took:.2f} s: {less}", flush=True)

    def _more_events(self, count: int) -> None:
        """New events of a share of the people, as ingest leaves them."""
        from sqlalchemy import insert, select

        from app.cdp.models import EventName, ProfileEvent
        from app.cdp.services import bulk, fold_queue
        from app.core.clock import utc_now
        from app.core.db import db, unit_of_work
        from app.core.tenancy import current_tenant_id

        draw, now = random.Random(count), utc_now()
        name_ids = dict(db.session.execute(select(EventName.name, EventName.id)).all())
        for _ in range(count // 1000):
            with unit_of_work():
                table: Any = ProfileEvent.__table__
                ids = bulk.take_ids(table, 1000)
                rows = [deed(current_tenant_id(), self.asked.people, name_ids, draw, now) | {"id": one} for one in ids]
                db.session.execute(insert(table), rows)
                fold_queue.JOB = "none"  # folded here, not by a worker
                fold_queue.note_events(ids)

    def sizes(self) -> None:
        from sqlalchemy import text

        from app.core.db import db

        slices = db.session.scalar(text("SELECT sum(length(data)) FROM slices")) or 0
        whole = sum(path.stat().st_size for path in self.folder.glob("parley.db*"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"disk: database {whole / 1e6:,.0f} MB, slices of it {slices / 1e6:,.0f} MB; memory at most {peak:,.0f} MB"
        )


if __name__ == "__main__":
    main()
