"""Files of imports are kept for thirty days: rows that were refused, and uploads nobody started."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select

from app.cdp.models import DataImport, ImportState
from app.cdp.services import imports
from app.core import storage
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id

KEPT_DAYS = 30


def list_tenants() -> list[int]:
    """Workspaces with something to remove, across all of them."""
    rows = DataImport.__table__
    return list(db.session.scalars(select(rows.c.tenant_id).where(_is_due()).distinct()))


def purge() -> int:
    """Remove the acting tenant's files that are due; the figures of the imports stay. Returns how many."""
    due = list(db.session.scalars(select(DataImport).where(_is_due(), DataImport.tenant_id == current_tenant_id())))
    for row in due:
        storage.remove(imports.FOLDER, f"{row.id}-rejected.csv")
        row.rejected_bytes = 0
        if row.state == ImportState.UPLOADED:
            imports.forget_file(row)
            row.state, row.finished_at = ImportState.CANCELLED, utc_now()
    db.session.flush()
    return len(due)


def _is_due() -> ColumnElement[bool]:
    before = utc_now() - timedelta(days=KEPT_DAYS)
    rows = DataImport.__table__.c
    return or_(
        (rows.rejected_bytes > 0) & (rows.finished_at < before),
        (rows.state == ImportState.UPLOADED) & (rows.created_at < before),
    )
