"""Imports in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from app.cdp.models import DataImport, ImportKind, ImportState
from app.cdp.services import imports
from app.core.clock import iso

Text = Annotated[str, Field(max_length=200)]


class UploadIn(BaseModel):
    """The fields of the form beside `file`."""

    kind: ImportKind


class MappingIn(BaseModel):
    """Column to target: user_id, anonymous_id, email, phone, external_ids.<system>, event_name, timestamp, message_id,
    consent.<channel> (yes, no, OPT_IN, STOP, …), consented_at, traits.<name>, properties.<name>, context.<name>,
    or an empty text to leave it out. A JSON file may go without."""

    mapping: dict[Text, Text] = Field(default_factory=dict, max_length=300)


class ImportOut(BaseModel):
    id: int
    kind: ImportKind
    filename: str
    form: str
    state: ImportState
    columns: list[str]
    sample: list[dict[str, Any]]
    mapping: dict[str, str]
    suggested_mapping: dict[str, str]
    size_bytes: int
    bytes_done: int
    rows_done: int
    accepted: int
    rejected: int
    duplicates: int
    error: str
    job_id: str
    created_at: str
    started_at: str | None
    finished_at: str | None


class ImportRowError(BaseModel):
    row: int
    field: str
    message: str


class TrialOut(BaseModel):
    """What the first 1,000 rows would do."""

    rows: int
    accepted: int
    rejected: int
    known_people: int
    new_people: int
    consents: dict[str, dict[str, int]]
    errors: list[ImportRowError]


PLAIN = ("id", "kind", "filename", "form", "state", "mapping", "size_bytes", "bytes_done", "rows_done", "accepted",
         "rejected", "duplicates", "error", "job_id")  # fmt: skip


def import_out(row: DataImport) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in PLAIN}
    times = {name: iso(getattr(row, name)) for name in ("created_at", "started_at", "finished_at")}
    layout = {"columns": row.layout.get("columns", []), "sample": row.layout.get("sample", [])}
    return values | layout | {"suggested_mapping": imports.suggested(row)} | times
