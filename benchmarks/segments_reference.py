"""The same conditions by DuckDB, for reference: the statements written by hand, over copies of the rows in memory."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.segment_sql import ByHand
from benchmarks.segments_data import seconds

BLOCK = 500_000
COPIED = {
    "profiles": ("id", "tenant_id", "merged_into_id", "email", "lifecycle"),
    "consent_states": ("tenant_id", "profile_id", "channel", "state"),
    "computed": ("tenant_id", "measure_id", "profile_id", "total"),
    "measures": ("id", "tenant_id", "event", "property"),
    "events": ("tenant_id", "profile_id", "name_id", "day", "at"),
}
OUT_OF_JSON = {"profiles": ("traits", ("city", "age", "plan")), "events": ("properties", ("amount", "channel"))}
TEXTS = {"email", "lifecycle", "channel", "state", "event", "property", "at", "city", "plan"}


class ByDuck(ByHand):
    """What the conditions ask for is a column of its own, as someone would lay it out who chose a column store."""

    by_person = ""

    def _trait_column(self, name: str) -> str:
        return f"p.{name}"

    def _property(self, name: str) -> str:
        return name


class Reference:
    """DuckDB over the rows of the workspace; without it every answer is a dash."""

    def __init__(self, by_hand: ByHand, folder: Path) -> None:
        self._by_duck = ByDuck(by_hand.tenant_id, by_hand.today, by_hand.name_ids)
        try:
            import duckdb
        except ImportError:
            print("duckdb is not installed: its column stays empty")
            self._link: Any = None
            return
        self._link = duckdb.connect()
        took = seconds(lambda: [self._copy(folder / "parley.db", name) for name in COPIED])
        print(f"duckdb {duckdb.__version__} has the rows in memory after {took:.0f} s", flush=True)

    def milliseconds(self, raw: dict[str, Any], count: int) -> str:
        """Median of three; ends the run when it counts differently."""
        if self._link is None:
            return "-"
        statement = self._by_duck.statement(raw)
        if (found := self._link.execute(statement).fetchone()[0]) != count:
            raise SystemExit(f"DuckDB counts {found}, not {count}, for {json.dumps(raw)}")
        took = [seconds(lambda: self._link.execute(statement).fetchall()) for _ in range(3)]
        return f"{statistics.median(took) * 1000:.1f}"

    def _copy(self, path: Path, table: str) -> None:
        import sqlite3

        column, keys = OUT_OF_JSON.get(table, ("", ()))
        names = [*COPIED[table], *keys]
        asked = ", ".join([*COPIED[table], *(f"json_extract({column}, '$.{key}')" for key in keys)])
        columns = ", ".join(f'"{name}" {"VARCHAR" if name in TEXTS else "DOUBLE"}' for name in names)
        self._link.execute(f"CREATE TABLE {table} ({columns})")
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = source.execute(f"SELECT {asked} FROM {table}")
            while part := rows.fetchmany(BLOCK):
                block = {name: _array(name, one) for name, one in zip(names, zip(*part, strict=True), strict=True)}
                self._link.register("block", block)
                self._link.execute(f"INSERT INTO {table} SELECT * FROM block")
                self._link.unregister("block")
        finally:
            source.close()


def _array(name: str, values: tuple[Any, ...]) -> Any:
    """Numbers as such, what is missing as NULL."""
    if name in TEXTS:
        return np.array(values, dtype=object)
    found = np.array([np.nan if one is None else one for one in values], dtype=np.float64)
    return np.ma.masked_invalid(found) if np.isnan(found).any() else found
