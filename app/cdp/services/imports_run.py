"""Taking a file in, a thousand rows a transaction; a run that stopped goes on after the last of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from app.cdp.models import DataImport, ImportState
from app.cdp.services import consent, imports, imports_consent, imports_reader, ingestion
from app.cdp.services.consent import Statement
from app.cdp.services.identity_rules import load_rules
from app.cdp.services.imports_consent import Said
from app.cdp.services.imports_reader import Row
from app.cdp.services.ingestion import Taken
from app.cdp.services.ingestion_rows import EventRow, RowRefused
from app.core import storage
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.db import db, unit_of_work

BATCH = 1000


@dataclass
class Step:
    """One batch of rows, and where it began."""

    began_at: int
    rows: list[Row]
    kept: list[EventRow] = field(default_factory=list)
    said: list[tuple[int, Said]] = field(default_factory=list)  # of each that is kept: its number, its consent
    refused: list[tuple[Row, RowRefused]] = field(default_factory=list)


def begin(import_id: int) -> DataImport | None:
    """The import, marked as running; None when it was stopped or is over."""
    with unit_of_work():
        row = imports.get_import(import_id, for_update=True)
        if row.state not in imports.LIVE:
            return None
        row.state, row.started_at = ImportState.RUNNING, row.started_at or utc_now()
    return row


def steps(row: DataImport) -> Iterator[Step]:
    """The batches that are left, checked row by row."""
    clean = imports.cleaner(row, row.mapping)
    rows = imports_reader.read(imports.path_of(row), row.form, row.layout, row.position, row.rows_done)
    position = row.position
    while batch := list(islice(rows, BATCH)):
        step = Step(position, batch)
        for one in batch:
            try:
                event, said = clean(one)
                step.kept.append(event)
                step.said.append((one.number, said))
            except RowRefused as error:
                step.refused.append((one, error))
        yield step
        position = batch[-1].next_position


def take(import_id: int, step: Step) -> DataImport | None:
    """Write a batch and how far it brought the import, in one transaction; None when it was stopped meanwhile.

    A batch that another run of the same job wrote already is passed over.
    """
    rules, now = load_rules(), utc_now()

    def write() -> DataImport | None:
        row = imports.get_import(import_id, for_update=True)
        if row.state != ImportState.RUNNING:
            return None
        if row.position != step.began_at:
            return row
        taken = ingestion.accept(step.kept, rules, now, source=f"import {row.id}")
        consent.record_many(_statements(row, step, taken, now))
        duplicates = sum(one.is_duplicate for one in taken)
        row.accepted += len(taken) - duplicates
        row.duplicates += duplicates
        row.rejected += len(step.refused)
        row.rejected_bytes = _keep_refused(row, step)
        row.position, row.bytes_done = step.rows[-1].next_position, step.rows[-1].next_byte
        row.rows_done = step.rows[-1].number
        db.session.flush()
        return row

    return ingestion.in_turns(write)


def _statements(row: DataImport, step: Step, taken: list[Taken], now: datetime) -> list[Statement]:
    found: list[Statement] = []
    for (number, said), one in zip(step.said, taken, strict=True):
        if said.answers and not one.is_duplicate:
            evidence = {"import": row.id, "file": row.filename, "row": number}
            found += imports_consent.statements(said, one.profile_id, evidence, now)
    return found


def finish(import_id: int) -> None:
    """Note the end; the uploaded file goes, the refused rows stay."""
    with unit_of_work():
        row = imports.get_import(import_id, for_update=True)
        if row.state == ImportState.RUNNING:
            row.state, row.finished_at, row.bytes_done = ImportState.DONE, utc_now(), row.size_bytes
            imports.forget_file(row)
            told = f"{row.accepted:,} rows are in, {row.rejected:,} were refused."
            record_activity(
                "import", f"{row.filename} was imported", told, f"/app/imports/{row.id}", user_id=row.user_id
            )


def _keep_refused(row: DataImport, step: Step) -> int:
    """Add the refused rows to their file, after what is known to be right in it; returns how long it is then."""
    if not step.refused:
        return row.rejected_bytes
    path = storage.path_of(imports.FOLDER, f"{row.id}-rejected.csv")
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [name for name in row.layout.get("columns", []) if name] if row.form == "csv" else ["json"]
    if row.rejected_bytes == 0:
        writer.writerow(["row", "field", "reason", *columns])
    for one, error in step.refused:
        writer.writerow([one.number, error.field, error.message, *_cells(row, one, columns)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.truncate(row.rejected_bytes)
        return row.rejected_bytes + file.write(text.getvalue().encode("utf-8", errors="replace"))


def _cells(row: DataImport, one: Row, columns: list[str]) -> list[Any]:
    if row.form == "csv":
        return [(one.values or {}).get(name, "") for name in columns]
    return [json.dumps(one.values) if one.values is not None else ""]
