"""Taking files of contacts in."""

from __future__ import annotations

from app.core.db import unit_of_work
from app.core.jobs import Queue, job
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope
from app.messaging.services import contact_uploads, contact_uploads_run


def _failed(error: str, upload_id: int) -> None:
    contact_uploads.fail(upload_id, error)


@job("messaging.upload_contacts", queue=Queue.BULK, timeout=3600, max_attempts=5, on_failure=_failed)
def upload_contacts(upload_id: int) -> None:
    """Take the rest of the file in; what was written stays when the worker stops, and is not written again."""
    row = contact_uploads_run.begin(upload_id)
    if row is None:
        return
    for step in contact_uploads_run.steps(row):
        after = contact_uploads_run.take(upload_id, step)
        if after is None:
            return
        progress(after.bytes_done, max(after.size_bytes, after.bytes_done + 1), f"{after.rows_done:,} rows")
    with unit_of_work():
        contact_uploads.finish(upload_id)


@periodic("messaging.purge_uploads", every_seconds=86_400)
def purge_everywhere() -> None:
    """Across tenants: what refused rows held, thirty days after."""
    for tenant_id in contact_uploads.list_due_tenants():
        with tenant_scope(tenant_id), unit_of_work():
            contact_uploads.purge()
