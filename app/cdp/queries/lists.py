"""Lists of any length as one parameter of a statement, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db import db
from app.core.tenancy import current_tenant_id


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


def of_people(table: Any, profile_ids: Iterable[int]) -> ColumnElement[bool]:
    """Rows of the acting tenant's people. The sum keeps SQLite from reading all of the tenant's rows by an index that
    happens to hold every column asked for."""
    return table.c.profile_id.in_(ids_in(profile_ids)) & (table.c.tenant_id + 0 == current_tenant_id())
