"""Statements built once for each database: to build one costs SQLAlchemy several times what it takes to run it.

They speak of tables, not of models, and go past the session's own filter: each one must name `TENANT` itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, CursorResult, Select, String, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import Executable

from app.cdp.queries.lists import is_sqlite
from app.core.db import db
from app.core.tenancy import current_tenant_id

TENANT: Any = bindparam("tenant")
Build = Callable[["Lists"], Executable]


class Lists:
    """Lists of any length as parameters, as the database at hand takes them."""

    def __init__(self, *, are_json: bool) -> None:
        self._are_json = are_json

    def ids(self, name: str) -> Select[Any]:
        """A select of the ids in the parameter of this name, for `column.in_(…)`."""
        return self._select(name, BigInteger)

    def texts(self, name: str) -> Select[Any]:
        return self._select(name, String)

    def _select(self, name: str, kind: Any) -> Select[Any]:
        if self._are_json:
            return select(func.json_each(bindparam(name)).table_valued("value").c.value)
        return select(func.unnest(cast(bindparam(name, type_=ARRAY(kind)), ARRAY(kind))))


def fetch(build: Build, **values: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement for the acting tenant; raises TenantNotBound without one. What is pending is not flushed first.

    `build` makes it from `Lists` the first time; a value that is a list goes in as one parameter.
    """
    are_json = is_sqlite()
    given = {name: json.dumps(one) if are_json and isinstance(one, list) else one for name, one in values.items()}
    return db.session.connection().execute(_built(build, are_json), {"tenant": current_tenant_id(), **given})


@cache
def _built(build: Build, are_json: bool) -> Executable:
    return build(Lists(are_json=are_json))
