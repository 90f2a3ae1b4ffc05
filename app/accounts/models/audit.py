"""The audit log: who did what, append-only by the database's own rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, BigInteger, Index, Integer, String, event
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, TenantScoped


class AuditEntry(TenantScoped, Base):
    """`credential` says with what it was done: session, tokens, api_key:<id>, job, command or none."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_tenant_id_action", "tenant_id", "action"),
        Index("ix_audit_entries_tenant_id_actor_id", "tenant_id", "actor_id"),
        Index("ix_audit_entries_tenant_id_at", "tenant_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[int | None]
    actor_label: Mapped[str] = mapped_column(String(254), default="")
    credential: Mapped[str] = mapped_column(String(40), default="none")
    action: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(40), default="")
    subject_id: Mapped[str] = mapped_column(String(64), default="")
    subject_label: Mapped[str] = mapped_column(String(300), default="")
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    browser: Mapped[str] = mapped_column(String(300), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")


# What a person's erasure must be able to blank stays out: names, addresses, and values of the subject.
_FIXED = "id, tenant_id, at, actor_id, credential, action, subject_type, subject_id, request_id"
_SQLITE = (
    "CREATE TRIGGER audit_entries_keep_{0} BEFORE {1} ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
)
_POSTGRESQL = (
    "CREATE TRIGGER audit_entries_keep_{0} BEFORE {1} ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_entries_keep()"
)
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_entries_keep() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
)
# REPLACE would take a row away without firing the trigger on DELETE.
_SQLITE_INSERT = _SQLITE.format("ids", "INSERT").replace(
    " BEGIN SELECT", " WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id) BEGIN SELECT"
)
_POSTGRESQL_TABLE = _POSTGRESQL.format("table", "TRUNCATE").replace("EACH ROW", "EACH STATEMENT")
TRIGGERS = {
    "sqlite": [_SQLITE.format("rows", "DELETE"), _SQLITE.format("facts", f"UPDATE OF {_FIXED}"), _SQLITE_INSERT],
    "postgresql": [
        _FUNCTION, _POSTGRESQL.format("rows", "DELETE"), _POSTGRESQL.format("facts", f"UPDATE OF {_FIXED}"),
        _POSTGRESQL_TABLE,
    ],
}  # fmt: skip
for _dialect, _statements in TRIGGERS.items():
    for _statement in _statements:
        event.listen(
            AuditEntry.__table__, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect)
        )
