"""Taking files in."""

from __future__ import annotations

from app.cdp.services import imports, imports_purge, imports_run
from app.core.db import unit_of_work
from app.core.jobs import Queue, job
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope


def _failed(error: str, import_id: int) -> None:
    imports.fail(import_id, error)


@job("cdp.import", queue=Queue.BULK, timeout=3600, max_attempts=5, on_failure=_failed)
def take_in(import_id: int) -> None:
    """Take the rest of the file in; what was written stays when the worker stops, and is not written again."""
    row = imports_run.begin(import_id)
    if row is None:
        return
    for step in imports_run.steps(row):
        after = imports_run.take(import_id, step)
        if after is None:
            return
        progress(after.bytes_done, max(after.size_bytes, after.bytes_done + 1), f"{after.rows_done:,} rows")
    imports_run.finish(import_id)


@periodic("cdp.purge_imports", every_seconds=86_400)
def purge_everywhere() -> None:
    """Across tenants: files of imports that were kept long enough."""
    for tenant_id in imports_purge.list_tenants():
        with tenant_scope(tenant_id), unit_of_work():
            imports_purge.purge()
