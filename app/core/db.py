"""The database: base model, column types, tenant filtering and the unit of work."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Integer, MetaData, event, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    registry,
    with_loader_criteria,
)
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeDecorator

from app.core import tenancy
from app.core.clock import utc_now
from app.core.config import ROOT, get_settings
from app.core.errors import NotFound, Unavailable
from app.core.logs import get_logger

Json = JSON().with_variant(JSONB(), "postgresql")
BigId = BigInteger().with_variant(Integer, "sqlite")
WRITE_WAIT_SECONDS = 15.0
BUSY = "The database is busy. Try again in a moment."
_sqlite_writers = threading.Lock()
log = get_logger()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive datetime cannot be stored.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every model derives from."""

    registry = registry(
        metadata=MetaData(naming_convention=_NAMES),
        type_annotation_map={datetime: UtcDateTime(), dict[str, Any]: Json, list[Any]: Json},
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """SQLite gives a deleted row's id to the next one unless told not to; a late job would find a stranger."""
        super().__init_subclass__(**kwargs)
        table = cls.__dict__.get("__table__")
        if table is not None and len(table.primary_key) == 1:
            table.kwargs["sqlite_autoincrement"] = isinstance(next(iter(table.primary_key)).type, Integer)


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False},
)
migrate = Migrate()


class Timestamps:
    """Mixin: when a row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class TenantScoped:
    """Mixin: a row that belongs to one tenant and is invisible to every other."""

    @declared_attr
    def tenant_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)


class OfTenant(TenantScoped):
    """Mixin for the large tables: tenant-scoped, but indexed by what they are asked for, never by tenant alone."""

    @declared_attr
    def tenant_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


class UnitOfWorkRequired(RuntimeError):
    """Something was written outside a unit of work: a fault of ours, refused."""


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Commit everything written inside the block, or nothing; an inner block joins the outer.

    On SQLite the write lock is taken at once (a read that upgrades fails under two writers), and
    writers of this process queue on a lock that yields, since SQLite's own wait would stop the event loop.
    """
    session: Session = db.session()
    if session.info.get("writing"):
        yield session
        return
    with _writers_turn() if _is_sqlite() else contextlib.nullcontext():
        _begin_write(session)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            session.info.pop("after_commit", None)
            raise
        finally:
            session.info.pop("writing", None)
    run_after_commit(session)


@contextmanager
def _writers_turn() -> Iterator[None]:
    if not _sqlite_writers.acquire(timeout=WRITE_WAIT_SECONDS):
        raise Unavailable(BUSY)
    try:
        yield
    finally:
        _sqlite_writers.release()


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _begin_write(session: Session) -> None:
    if session.in_transaction():
        session.commit()
        session.expire_all()  # what was read before may have changed since: read it again inside
    session.info["writing"] = True
    try:
        session.connection(execution_options={"parley_write": True})
    except BaseException:
        session.info.pop("writing", None)
        session.rollback()
        raise


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the current unit of work has committed; it is forgotten on rollback."""
    session: Session = db.session()
    if not session.info.get("writing"):
        raise UnitOfWorkRequired("after_commit needs a unit of work.")
    session.info.setdefault("after_commit", []).append(action)


def run_after_commit(session: Session) -> None:
    """What was written stays written: an action that fails is logged and keeps neither its fellows nor the caller."""
    for action in session.info.pop("after_commit", []):
        try:
            action()
        except Exception as error:
            log.error("after_commit_failed", exc_info=error)


def release_connection() -> None:
    """End the read transaction and give the connection back, before waiting on anything slow."""
    db.session.remove()


RowT = TypeVar("RowT")


def find_row(model: type[RowT], row_id: Any, *, for_update: bool = False) -> RowT | None:
    """The row with this id in the acting tenant, or None. Always asks the database, never the identity map."""
    statement = select(model).where(model.id == row_id)  # type: ignore[attr-defined]
    if for_update:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(statement).one_or_none()


def get_required(model: type[RowT], row_id: Any, *, for_update: bool = False, label: str = "") -> RowT:
    """Like find_row, but raises NotFound; another tenant's row is not found either."""
    row = find_row(model, row_id, for_update=for_update)
    if row is None:
        raise NotFound(f"{label or model.__name__} not found.")
    return row


@event.listens_for(Session, "do_orm_execute")
def _filter_by_tenant(state: ORMExecuteState) -> None:
    """Add the tenant to every ORM statement. Counts and columns name no entity, so tables are looked for too."""
    if state.is_column_load or state.is_relationship_load or state.is_insert:
        return
    tenant_id = tenancy.bound_tenant_id()
    if tenant_id == tenancy.PLATFORM:
        return
    if tenant_id is not None:
        state.statement = state.statement.options(
            with_loader_criteria(TenantScoped, lambda cls: cls.tenant_id == tenant_id, include_aliases=True)
        )
    elif any(getattr(node, "name", None) in _scoped_tables() for node in _tables(state.statement)):
        raise tenancy.TenantNotBound("Tenant-scoped rows were asked for with no tenant bound.")


def _tables(statement: Any) -> Iterator[Any]:
    return (node for node in visitors.iterate(statement) if node.__visit_name__ == "table")


@lru_cache(maxsize=1)
def _scoped_tables() -> frozenset[str]:
    """Names of the tables of tenant-scoped models; all models are imported by the time of the first query."""
    return frozenset(m.local_table.name for m in Base.registry.mappers if issubclass(m.class_, TenantScoped))  # type: ignore[attr-defined]


@event.listens_for(Session, "before_flush")
def _guard_writes(session: Session, _context: Any, _instances: Any) -> None:
    if not session.info.get("writing"):
        raise UnitOfWorkRequired("A write was tried outside a unit of work.")
    bound = tenancy.bound_tenant_id()
    for row in session.new:
        if isinstance(row, TenantScoped) and getattr(row, "tenant_id", None) is None:
            row.tenant_id = tenancy.current_tenant_id()
    if bound == tenancy.PLATFORM:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantScoped) and row.tenant_id != bound:
            raise tenancy.TenantNotBound(f"A {type(row).__name__} of another tenant was about to be written.")


def _lower(value: Any) -> Any:
    """As PostgreSQL does it, with the letters of every alphabet: SQLite's own knows those of English. No index stands
    on it."""
    return value if value is None else str(value).lower()


@event.listens_for(Engine, "connect")
def _prepare_connection(connection: Any, _record: Any) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = None  # transactions begin where _begin says
        connection.create_function("lower", 1, _lower, deterministic=True)
        for pragma in ("busy_timeout=15000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        if connection.get_execution_options().get("parley_write"):
            _begin_immediate(connection.connection.dbapi_connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Any) -> None:
    """Wait for another process's write in Python, which lets other greenlets run; SQLite's own wait stops them all."""
    deadline, pause = time.monotonic() + WRITE_WAIT_SECONDS, 0.001
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                if time.monotonic() > deadline:
                    raise Unavailable(BUSY) from None
                time.sleep(pause)
                pause = min(pause * 2, 0.02)
    finally:
        connection.execute("PRAGMA busy_timeout=15000")


def init_app(app: Flask) -> None:
    settings = get_settings()
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": 10,
        "max_overflow": 40,
        "pool_pre_ping": settings.sqlalchemy_url.startswith("postgresql"),
        "hide_parameters": True,  # an error's text goes to the log; password hashes and secrets must not
    }
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
