"""The migrations make what the models say, on SQLite and on PostgreSQL, and the product works on both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]
ROOT = Path(__file__).resolve().parents[2]


def flask(*arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_migrations_and_models_agree_on_sqlite_and_can_be_undone(tmp_path):
    where = {"DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    flask("upgrade", **where)
    flask("check", **where)
    flask("downgrade", "base", **where)
    flask("upgrade", **where)


def test_sqlite_gives_no_id_twice_after_all_migrations(tmp_path, app):
    """A table that a migration copied must still count its ids; `db check` does not look at that."""
    import sqlite3

    from app.core.db import Base

    flask("upgrade", DATA_DIR=str(tmp_path), DATABASE_URL="")
    with sqlite3.connect(tmp_path / "parley.db") as link:
        made = dict(link.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    counting = [
        table.name
        for table in Base.metadata.sorted_tables
        if table.kwargs.get("sqlite_autoincrement") and "id" in table.primary_key.columns
    ]
    assert len(counting) > 20
    assert [name for name in counting if "AUTOINCREMENT" not in made[name]] == []


def test_migrations_and_models_agree_on_postgresql_and_can_be_undone(postgres):
    flask("upgrade", DATABASE_URL=postgres)
    flask("check", DATABASE_URL=postgres)
    flask("downgrade", "base", DATABASE_URL=postgres)


def test_the_rules_hold_on_postgresql_too(hold_on_postgresql):
    """The same tests as on SQLite, over the other database."""
    hold_on_postgresql(
        core="tenancy dialects db jobs outbox requests",
        accounts="contract audit_append_only audit_api audit_purge api_keys",
        insights="audiences_api",
        cdp="events_api identity_api profiles_api ingest_at_once",
    )
