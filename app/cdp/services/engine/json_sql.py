"""Values inside JSON columns and dates of datetime columns, as SQL for SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from app.cdp.services.engine.days import start_of_day, ymd
from app.cdp.services.engine.values import LARGEST_NUMBER

Sql = ColumnElement[Any]
Truth = ColumnElement[bool]
_PLAIN_NAME = re.compile(r"[ !#-\[\]-~]+", re.ASCII)  # what SQLite's paths take inside quotation marks


def surely(expression: Truth) -> Truth:
    """True or false, never unknown."""
    return func.coalesce(expression, false(), type_=Boolean)


def in_ids(column: Sql, ids: Iterable[int], dialect: str) -> Truth:
    """Whether the column is one of any number of ids."""
    wanted = [int(one) for one in ids]
    if dialect == "postgresql":
        return column == any_(bindparam(None, wanted, type_=ARRAY(BigInteger), unique=True))
    listed = func.json_each(json.dumps(wanted)).table_valued("value")
    return column.in_(select(listed.c.value))


def of_tenant(table: Table, tenant_id: int) -> Truth:
    """The tenant's rows, where ids narrow them already. The sum keeps SQLite, which cannot know that a tenant has many
    rows, from walking all of them by an index that begins with the tenant."""
    return table.c.tenant_id + 0 == tenant_id


class JsonValue:
    """One name of a JSON object column."""

    def __init__(self, column: Sql, name: str, dialect: str) -> None:
        self.dialect = dialect
        self.is_postgresql = dialect == "postgresql"
        if self.is_postgresql:
            self._json: Sql = func.jsonb_extract_path(column, name)
            self._type: Sql = func.jsonb_typeof(self._json)
            self._plain: Sql = func.jsonb_extract_path_text(column, name, type_=String)
        elif _PLAIN_NAME.fullmatch(name):
            path = f'$."{name}"'
            self._json = func.json_extract(column, path)
            self._type, self._plain = func.json_type(column, path), self._json
        else:
            each = func.json_each(column).table_valued("key", "value", "type")
            one = select(each.c.value).where(each.c.key == name).limit(1)
            self._json = self._plain = one.scalar_subquery()
            self._type = select(each.c.type).where(each.c.key == name).limit(1).scalar_subquery()

    def is_set(self) -> Truth:
        empty = and_(self._is_text, self._plain == "")
        return and_(surely(self._type != "null"), not_(surely(empty)))

    @property
    def _is_text(self) -> Truth:
        return self._type == ("string" if self.is_postgresql else "text")

    def text(self) -> Sql:
        return case((self._is_text, self._plain), else_=None)

    def number(self) -> Sql:
        return _number(self._type, self._plain, self.is_postgresql)

    def truth(self, expected: bool) -> Truth:
        word = "true" if expected else "false"
        if self.is_postgresql:
            return surely(and_(self._type == "boolean", self._plain == word))
        return surely(self._type == word)

    def date(self) -> Sql:
        """20240131 for a text that begins like a date."""
        text = self.text()
        digits = func.substr(text, 1, 4).concat(func.substr(text, 6, 2)).concat(func.substr(text, 9, 2))
        looks = (
            text.regexp_match("^[0-9]{4}-[0-9]{2}-[0-9]{2}")
            if self.is_postgresql
            else text.op("GLOB")("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*")
        )
        return case((looks, cast(digits, Integer)), else_=None)

    def in_days(self, first: int | None, last: int | None) -> Truth:
        date = self.date()
        bounds = [date >= ymd(first)] if first is not None else []
        bounds += [date <= ymd(last)] if last is not None else []
        return surely(and_(date.is_not(None), *bounds))

    def some_element(self, test: Callable[[ListElement], Truth]) -> Truth:
        """Whether the value is a list with an element that passes."""
        element = ListElement(self._json, self._type, self.is_postgresql)
        return select(literal(1)).select_from(element.table).where(test(element)).exists()


class ListElement:
    """An element of a JSON list."""

    def __init__(self, value: Sql, kind: Sql, is_postgresql: bool) -> None:
        is_list = kind == "array"
        if is_postgresql:
            whole = case((is_list, value), else_=literal_column("'[]'::jsonb"))
            self.table = func.jsonb_array_elements(whole).table_valued("value").lateral()
            self._type: Sql = func.jsonb_typeof(self.table.c.value)
            self._plain: Sql = self.table.c.value.op("#>>")(literal_column("'{}'"))
        else:
            whole = case((is_list, value), else_="[]")
            self.table = func.json_each(whole).table_valued("value", "type")
            self._type, self._plain = self.table.c.type, self.table.c.value
        self._is_postgresql = is_postgresql

    def is_text(self, value: str) -> Truth:
        text_type = "string" if self._is_postgresql else "text"
        return and_(self._type == text_type, self._plain == value)

    def is_number(self, value: float) -> Truth:
        return surely(_number(self._type, self._plain, self._is_postgresql) == value)


def _number(kind: Sql, plain: Sql, is_postgresql: bool) -> Sql:
    """A number that can be compared as one, else NULL; the cast is made only where it cannot fail."""
    if not is_postgresql:
        number = cast(plain, Float)
        return case((and_(kind.in_(("integer", "real")), func.abs(number) < LARGEST_NUMBER), number), else_=None)
    exact = case((kind == "number", cast(plain, Numeric)))
    return case((func.abs(exact) < literal_column("1e300"), cast(exact, Float(53))), else_=None)


class TextColumn:
    """A plain text column; empty is not set."""

    def __init__(self, column: Sql, *, is_postgresql: bool) -> None:
        self.column = column
        self.is_postgresql = is_postgresql

    def is_set(self) -> Truth:
        return self.column != ""

    def text(self) -> Sql:
        return self.column


class MomentColumn:
    """A datetime column, asked by days of a zone."""

    def __init__(self, column: Sql, zone: str) -> None:
        self.column = column
        self.zone = zone

    def is_set(self) -> Truth:
        return self.column.is_not(None)

    def in_days(self, first: int | None, last: int | None) -> Truth:
        bounds = [self.column >= start_of_day(first, self.zone)] if first is not None else []
        bounds += [self.column < start_of_day(last + 1, self.zone)] if last is not None else []
        return and_(self.column.is_not(None), *bounds)


def any_of(parts: Iterable[Truth]) -> Truth:
    return or_(false(), *parts)
