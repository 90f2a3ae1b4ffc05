"""How fast conditions are answered: a workspace of N people and M events, previews against hand-written SQL (and
DuckDB, where it is installed), refreshes against what changed, what comes in over HTTP and by files, erasing one
person, the rebuild, memory and disk. All of it in one run, on one machine and one data set.

    python benchmarks/segments.py                                        # 1,000,000 people, 20,000,000 events
    python benchmarks/segments.py --people 100000 --events 2000000 --only ingest imports erase
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.segment_sql import ByHand  # noqa: E402 - found only after the line above
from benchmarks.segments_conditions import CONDITIONS, both, trait  # noqa: E402
from benchmarks.segments_data import deed, fill, seconds  # noqa: E402
from benchmarks.segments_ingest import Ingest  # noqa: E402
from benchmarks.segments_reference import Reference  # noqa: E402
from benchmarks.segments_report import Report, most_mb, resident_mb  # noqa: E402
from tests.support.valkey import Valkey  # noqa: E402

STEPS = ("rebuild", "previews", "refreshes", "ingest", "imports", "erase")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--repeat", type=int, default=5, help="cold previews of each condition")
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--ingest", type=int, default=100_000, help="events over HTTP")
    parser.add_argument("--imports", type=int, default=100_000, help="rows of each file")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS, help="not all of it")
    parser.add_argument("--folder", help="where the data goes; kept when given, and used again when there")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="parley-bench-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    store = Valkey(folder)
    store.start()
    os.environ |= {"ENVIRONMENT": "test", "DATA_DIR": str(folder), "LOG_LEVEL": "ERROR", "REDIS_URL": store.url}
    os.environ.setdefault("INDEX_CACHE_MB", "2048" if asked.people > 300_000 else "384")
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

    steps, report = set(asked.only), Report()
    with create_app().app_context():
        with platform_scope():
            db.create_all()
            tenant_id = fill(asked)
        with tenant_scope(tenant_id):
            bench = Bench(asked, folder, report)
            if "rebuild" in steps or not bench.has_index():
                bench.rebuild()
            if "previews" in steps:
                bench.previews()
            if "refreshes" in steps:
                bench.refreshes()
            if steps & {"ingest", "imports", "erase"}:
                Ingest(asked, folder, report).measure(steps)
            bench.sizes()
    report.tell()


class Bench:
    """The measured part that needs no server."""

    def __init__(self, asked: argparse.Namespace, folder: Path, report: Report) -> None:
        from sqlalchemy import func, select

        from app.cdp.models import ProfileEvent
        from app.core.db import db

        self.asked, self.folder, self.report = asked, folder, report
        self.today: int = db.session.scalar(select(func.max(ProfileEvent.day)))  # of data that was kept, then
        db.session.rollback()

    def has_index(self) -> bool:
        from sqlalchemy import select

        from app.cdp.models import IndexState
        from app.core.db import db

        found = db.session.scalar(select(IndexState.is_complete))
        db.session.rollback()
        return bool(found)

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
        reference = Reference(by_hand, self.folder)
        heads = ("cold ms", "warm ms", "again ms", "SQL ms", "SQL/warm", "DuckDB ms")
        print(f"{'leaves':>6} {'people':>9} " + " ".join(f"{one:>9}" for one in heads))
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
            duck = reference.milliseconds(raw, len(found))
            if len(found) != db.session.scalar(statement):
                raise SystemExit(f"The answers differ for {json.dumps(raw)}")
            cold_all += cold
            warm_all += warm
            middle, slow = statistics.median(warm), statistics.median(sql)
            ratios.append(slow / middle)
            row = f"{sum(1 for _ in tree.leaves()):>6} {len(found):>9,} {statistics.median(cold):>9.1f} {middle:>9.1f}"
            print(f"{row} {again:>9.2f} {slow:>9.0f} {ratios[-1]:>9.1f} {duck:>9}", flush=True)
        for name, all_of in (("cold", cold_all), ("warm", warm_all)):
            p95 = sorted(all_of)[int(len(all_of) * 0.95)]
            print(f"preview {name}: median {statistics.median(all_of):.1f} ms, p95 {p95:.1f} ms")
            self.report.at_most(f"preview {name}, p95", p95, 300, "ms")
        self.report.at_least("SQL by hand against warm, median", statistics.median(ratios), 20, "times as long")
        print(f"SQL by hand takes {statistics.median(ratios):.0f} times as long as warm (median)", flush=True)

    def _by_hand(self, ctx: Any) -> ByHand:
        """The database knows its tables by then, as one that is looked after would."""
        from sqlalchemy import select, text

        from app.cdp.models import EventName
        from app.core.db import db, unit_of_work

        with unit_of_work():
            db.session.execute(text("ANALYZE"))
        names = dict(db.session.execute(select(EventName.name, EventName.id)).all())
        db.session.rollback()
        return ByHand(ctx.tenant_id, ctx.today, names)

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
        print(f"disk: database {whole / 1e6:,.0f} MB, slices of it {slices / 1e6:,.0f} MB")
        print(f"memory: this process {resident_mb():,.0f} MB, at most {most_mb():,.0f} MB")


if __name__ == "__main__":
    main()
