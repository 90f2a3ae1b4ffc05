"""Pages of a list: the stratum contract's envelope, and what a page of the product needs to turn over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select

from app.core.db import db

T = TypeVar("T")
MAX_PAGE = 100_000


class PageQuery(BaseModel):
    """`?page=&limit=` of a list."""

    page: int = Field(1, ge=1, le=MAX_PAGE)
    limit: int = Field(20, ge=1, le=100)


class PageOut(BaseModel, Generic[T]):
    """The paging envelope."""

    items: list[T]
    total: int
    page: int
    limit: int
    pages: int
    has_next: bool
    has_prev: bool

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """As clients made from the document call it: `PageOfUserOut`."""
        return f"PageOf{params[0].__name__}"


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of rows."""

    items: list[T]
    total: int
    number: int
    limit: int

    @property
    def pages(self) -> int:
        return -(-self.total // self.limit)

    def out(self, item: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
        """The envelope, each row as `item` shows it."""
        return {
            "items": [item(row) for row in self.items],
            "total": self.total,
            "page": self.number,
            "limit": self.limit,
            "pages": self.pages,
            "has_next": self.number < self.pages,
            "has_prev": self.number > 1,
        }


def paginate(statement: Select[Any], page: int, limit: int, *, rows: bool = False) -> Page[Any]:
    """The page of an ordered statement: one count, one select. `rows` gives whole rows for several columns."""
    total = db.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    chosen = statement.limit(limit).offset((page - 1) * limit)
    items = list(db.session.execute(chosen).all()) if rows else list(db.session.scalars(chosen))
    return Page(items, total, page, limit)
