"""Many rows written in few statements, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Table, TypeDecorator, text

from app.cdp.queries.lists import is_sqlite
from app.core.db import db
from app.core.tenancy import current_tenant_id

LOCK_SPACE = 7305  # any number, as long as no other lock of ours has it
_LAST_ID = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")


def take_ids(table: Table, count: int) -> list[int]:
    """Ids for `count` new rows. On SQLite the caller holds the only write lock, so the next ones are free."""
    if count == 0:
        return []
    if is_sqlite():
        last = db.session.connection().scalar(_LAST_ID, {"name": table.name}) or 0
        return list(range(last + 1, last + 1 + count))
    return sorted(db.session.scalars(_NEXT_IDS, {"name": table.name, "count": count}))


def lock_people() -> None:
    """Let no other transaction of this tenant make or join people until the commit. SQLite has one writer anyway."""
    if not is_sqlite():
        where = {"space": LOCK_SPACE, "tenant": current_tenant_id()}
        db.session.execute(text("SELECT pg_advisory_xact_lock(:space, :tenant)"), where)


def run(statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Run the statement once for each row, in one round; nothing for none."""
    if rows:
        db.session.execute(statement, list(rows))


def insert_rows(table: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values by the driver itself: several times faster than binding each through its type.

    Every column without a default of the database must be named.
    """
    found = list(rows)
    if found:
        marks = ", ".join(_mark(table, name) for name in names)
        sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names of our own columns
        _run_driver(sql, table, names, found)


def update_rows(table: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set the named columns of rows by id; each row ends with its id."""
    found = list(rows)
    if found:
        changes = ", ".join(f"{name} = {_mark(table, name)}" for name in names)
        sql = f"UPDATE {table.name} SET {changes} WHERE id = {_mark(table, 'id')}"  # noqa: S608
        _run_driver(sql, table, [*names, "id"], found)


def _mark(table: Any, name: str) -> str:
    if is_sqlite():
        return "?"
    return "%s::jsonb" if _is_json(table, name) else "%s"


def _is_json(table: Any, name: str) -> bool:
    return isinstance(table.c[name].type, JSON)


def _run_driver(sql: str, table: Any, names: Sequence[str], rows: list[Sequence[Any]]) -> None:
    plain = [list(row) for row in rows]
    for place, name in enumerate(names):
        make = _maker(table, name)
        if make is not None:
            for row in plain:
                row[place] = make(row[place])
    db.session.connection().exec_driver_sql(sql, [tuple(row) for row in plain])


def _maker(table: Any, name: str) -> Callable[[Any], Any] | None:
    """How a value of this column is handed to the driver; None: as it is."""
    kind = table.c[name].type
    if isinstance(kind, JSON):
        return _json_text
    if isinstance(kind, TypeDecorator) and isinstance(kind.impl, DateTime):
        return _Stamps() if is_sqlite() else None
    return None


def _json_text(value: Any) -> str:
    return json.dumps(value) if value else "{}" if isinstance(value, dict) else "[]"


class _Stamps:
    """UTC times as SQLAlchemy writes them on SQLite; the one most rows share is made once."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._text = ""

    def __call__(self, moment: datetime) -> str:
        if moment is not self._last:
            self._last, self._text = moment, moment.isoformat(" ", "microseconds")[:26]  # without its zone: UTC
        return self._text
