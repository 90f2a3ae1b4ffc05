"""Many rows written in few statements, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
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
    _run_driver(_insertion, table, tuple(names), rows)


def update_rows(table: Any, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set the named columns of rows by id; each row ends with its id."""
    _run_driver(_change, table, (*names, "id"), rows)


def json_text(value: Any) -> JsonText:
    """A value as a JSON column holds it, made before the transaction that writes it: that one is waited for."""
    return JsonText(json.dumps(value) if value else "{}" if isinstance(value, dict) else "[]")


class JsonText(str):
    """JSON that was written out already."""

    __slots__ = ()


def _run_driver(build: Callable[..., str], table: Any, names: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
    found = list(rows)
    if not found:
        return
    sql, kinds = _plan(build, table, names, is_sqlite())
    makers = [_Stamps() if kind == "time" else _as_json if kind == "json" else None for kind in kinds]
    if any(makers):
        columns = zip(makers, zip(*found, strict=True), strict=True)
        found = list(zip(*(map(make, one) if make else one for make, one in columns), strict=True))
    db.session.connection().exec_driver_sql(sql, found)


@cache
def _plan(build: Callable[..., str], table: Any, names: tuple[str, ...], for_sqlite: bool) -> tuple[str, list[str]]:
    """The statement, and what each value must be made into for the driver."""
    kinds = [_kind(table.c[name].type, for_sqlite) for name in names]
    marks = ["?" if for_sqlite else "%s::jsonb" if kind == "json" else "%s" for kind in kinds]
    return build(table.name, names, marks), kinds


def _insertion(table: str, names: Sequence[str], marks: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(marks)})"  # noqa: S608 - our own names


def _change(table: str, names: Sequence[str], marks: Sequence[str]) -> str:
    changes = ", ".join(f"{name} = {mark}" for name, mark in zip(names[:-1], marks, strict=False))
    return f"UPDATE {table} SET {changes} WHERE id = {marks[-1]}"  # noqa: S608


def _kind(column: Any, for_sqlite: bool) -> str:
    if isinstance(column, JSON):
        return "json"
    is_time = isinstance(column, TypeDecorator) and isinstance(column.impl, DateTime)
    return "time" if is_time and for_sqlite else ""


def _as_json(value: Any) -> str:
    return str(value if type(value) is JsonText else json_text(value))  # the drivers are slow with kinds of text


class _Stamps:
    """UTC times as SQLAlchemy writes them on SQLite; the one most rows share is made once."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._text = ""

    def __call__(self, moment: datetime) -> str:
        if moment is not self._last:
            self._last, self._text = moment, moment.isoformat(" ", "microseconds")[:26]  # without its zone: UTC
        return self._text
