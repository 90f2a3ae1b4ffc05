"""Lists of any length as one parameter of a statement, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import BigInteger, Select, String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db import db


def is_sqlite() -> bool:
    return db.session.get_bind().dialect.name == "sqlite"


def ids_in(ids: Iterable[int]) -> Select[tuple[int]]:
    """A select of these ids, for `column.in_(…)`: one parameter however many they are."""
    wanted = list(ids)
    if is_sqlite():
        each = func.json_each(literal(json.dumps(wanted))).table_valued("value")
        return select(each.c.value)
    return select(func.unnest(cast(literal(wanted, ARRAY(BigInteger)), ARRAY(BigInteger))))


def texts_in(values: Iterable[str]) -> Select[tuple[str]]:
    """A select of these texts, for `column.in_(…)`."""
    wanted = list(values)
    if is_sqlite():
        each = func.json_each(literal(json.dumps(wanted))).table_valued("value")
        return select(each.c.value)
    return select(func.unnest(cast(literal(wanted, ARRAY(String)), ARRAY(String))))
