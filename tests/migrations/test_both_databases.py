"""The migrations make what the models say, on SQLite and on PostgreSQL, and the product works on both."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("postgres")]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[str]:
    """A PostgreSQL server of our own, from the wheel."""
    from tests.support.postgres import running_postgres

    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def flask(*arguments: str, **environment: str) -> None:
    done = run(["-m", "flask", "--app", "wsgi", "db", *arguments], **environment)
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


def test_the_rules_hold_on_postgresql_too(postgres):
    """The same tests as on SQLite, over the other database."""
    core = ["tenancy", "dialects", "db", "jobs", "outbox", "requests"]
    chosen = [f"tests/core/test_{name}.py" for name in core]
    accounts = ["contract", "audit_append_only", "audit_api", "audit_purge", "api_keys"]
    chosen += [f"tests/accounts/test_{name}.py" for name in accounts]
    chosen += ["tests/insights/test_audiences_api.py"]
    chosen += [f"tests/cdp/test_{name}.py" for name in ("events_api", "identity_api", "profiles_api", "ingest_at_once")]
    done = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen], TEST_DATABASE_URL=postgres)
    assert done.returncode == 0, done.stdout[-4000:]
