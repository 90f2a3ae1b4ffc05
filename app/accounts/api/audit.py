"""The audit log for programs: searched, one entry, a whole file."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, stream_with_context

from app.accounts.guards import require_permission
from app.accounts.models import AuditEntry
from app.accounts.schemas.audit import AuditEntryOut, AuditExportQuery, AuditQuery, show_entry
from app.accounts.services import audit_export
from app.accounts.services.audit_search import page_entries
from app.core.clock import utc_now
from app.core.db import get_required, unit_of_work
from app.core.describe import describe
from app.core.http import read_query
from app.core.paging import PageOut

bp = Blueprint("audit_api", __name__, url_prefix="/api/v1/audit")
TAG = "Audit log"


@bp.get("")
@describe("Search the audit log, newest first", TAG, query=AuditQuery, answers={200: PageOut[AuditEntryOut]})
@require_permission("audit.read")
def list_entries() -> Response:
    query = read_query(AuditQuery)
    return jsonify(page_entries(query.as_filter(), query.page, query.limit).out(show_entry))


@bp.get("/<int:entry_id>")
@describe("One entry of the audit log", TAG, answers={200: AuditEntryOut}, errors=(404,))
@require_permission("audit.read")
def get_entry(entry_id: int) -> Response:
    return jsonify(show_entry(get_required(AuditEntry, entry_id, label="Audit entry")))


@bp.get("/export")
@describe(
    "The audit log as one file", TAG, query=AuditExportQuery, answers={200: str}, media="text/csv, application/json"
)
@require_permission("audit.read")
def export() -> Response:
    query = read_query(AuditExportQuery)
    wanted = query.as_filter()
    with unit_of_work():
        audit_export.note_export(wanted, query.format)
    found = audit_export.batches(wanted)
    body = audit_export.as_csv(found) if query.format == "csv" else audit_export.as_json(found, show_entry)
    response = Response(stream_with_context(body), content_type=f"{audit_export.MEDIA[query.format]}; charset=utf-8")
    name = audit_export.file_name(query.format, utc_now())
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
