"""The audit log as a file of any length: read and written in batches."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from app.accounts.models import AuditEntry
from app.accounts.services import audit
from app.accounts.services.audit_search import AuditFilter, list_entries
from app.core.clock import iso
from app.core.db import release_connection
from app.core.tenancy import current_tenant_id, tenant_scope

BATCH = 500
COLUMNS = ("id", "at", "action", "actor_id", "actor", "credential", "subject_type", "subject_id", "subject",
           "before", "after", "address", "browser", "request_id")  # fmt: skip
MEDIA = {"csv": "text/csv", "json": "application/json"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def note_export(wanted: AuditFilter, kind: str) -> None:
    """Enter the export itself in the log: who took what out."""
    narrowed = {name: value for name, value in vars(wanted).items() if value}
    audit.record("audit_log.exported", label="audit log", after={"format": kind, **narrowed})


def file_name(kind: str, now: datetime) -> str:
    return f"audit-log-{now:%Y-%m-%d}.{kind}"


def batches(wanted: AuditFilter) -> Iterator[list[AuditEntry]]:
    """Everything of the acting tenant that fits, newest first; between two batches no connection is held."""
    return _batches(wanted, current_tenant_id())


def _batches(wanted: AuditFilter, tenant_id: int) -> Iterator[list[AuditEntry]]:
    before_id = None
    while True:
        with tenant_scope(tenant_id):
            rows = list_entries(wanted, BATCH, before_id=before_id)
            release_connection()
        if not rows:
            return
        yield rows
        before_id = rows[-1].id


def as_csv(found: Iterator[list[AuditEntry]]) -> Iterator[str]:
    """One row an entry. Text that a spreadsheet would run as a formula is made plain with an apostrophe."""
    yield "\ufeff" + _lines([COLUMNS])  # the mark tells Excel that this is UTF-8
    for rows in found:
        yield _lines([[_plain(value) for value in _cells(row)] for row in rows])


def as_json(found: Iterator[list[AuditEntry]], show: Callable[[AuditEntry], dict[str, Any]]) -> Iterator[str]:
    """One array, each entry as `show` gives it, a line each."""
    separator = "[\n"
    for rows in found:
        for row in rows:
            yield separator + json.dumps(show(row), ensure_ascii=False)
            separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _cells(entry: AuditEntry) -> list[Any]:
    return [
        entry.id, iso(entry.at), entry.action, entry.actor_id, entry.actor_label, entry.credential,
        entry.subject_type, entry.subject_id, entry.subject_label, _packed(entry.before), _packed(entry.after),
        entry.address, entry.browser, entry.request_id,
    ]  # fmt: skip


def _packed(values: dict[str, Any] | None) -> str:
    return json.dumps(values, ensure_ascii=False) if values else ""


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.lstrip(" \n").startswith(_FORMULA) else value


def _lines(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
