"""Emptying the database between two tests: only tables that hold something are touched."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData

AUDIT = "audit_entries"  # the database lets nobody delete from it


def empty(connection: Connection, metadata: MetaData) -> None:
    """Delete every row of every table; whatever rules the tables have are there again afterwards."""
    names = [table.name for table in reversed(metadata.sorted_tables)]
    probes = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    full = set(connection.exec_driver_sql(probes).scalars())
    deletes = [f"DELETE FROM {name}" for name in names if name in full]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("; ".join(["SET LOCAL session_replication_role = replica", *deletes]))
        return
    guards = _guards(connection) if AUDIT in full else {}
    for statement in [*(f"DROP TRIGGER {name}" for name in guards), *deletes, *guards.values()]:
        connection.exec_driver_sql(statement)


def _guards(connection: Connection) -> dict[str, str]:
    """The audit log's triggers by name, and how each is made."""
    told = f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{AUDIT}'"
    return dict(connection.exec_driver_sql(told).all())
