"""Files of people or events: taken in, mapped, tried, started, stopped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import Select, select

from app.accounts.services import audit
from app.cdp.models import DataImport, ImportKind, ImportState
from app.cdp.services import identity, imports_consent, imports_mapping, imports_reader, ingestion_rows
from app.cdp.services.identity_rules import load_rules
from app.cdp.services.imports_consent import NOTHING, Said
from app.cdp.services.imports_reader import Row
from app.cdp.services.ingestion_rows import EventRow, RowRefused
from app.core import storage
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, get_required
from app.core.errors import Conflict, NotFound
from app.core.jobs import enqueue

FOLDER = "imports"
TRIED_ROWS = 1000
SHOWN_ERRORS = 20
LIVE = (ImportState.QUEUED, ImportState.RUNNING)


@dataclass(frozen=True)
class Received:
    """A file that was kept, and what it looks like."""

    stored_as: str
    size_bytes: int
    form: str
    layout: dict[str, Any]


@dataclass
class Trial:
    """What the first rows of a file would do. `new_people` counts those nobody is known by yet, `consents` the answers
    by channel and state."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    known_people: int = 0
    new_people: int = 0
    consents: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)


def receive(stream: IO[bytes]) -> Received:
    """Keep an uploaded file and look at its beginning, with no transaction open; refuses one nobody can read."""
    name = f"{uuid4().hex}.upload"
    try:
        size = storage.save(stream, FOLDER, name, get_settings().import_max_bytes)
        form, layout = imports_reader.inspect(storage.path_of(FOLDER, name))
    except BaseException:
        storage.remove(FOLDER, name)
        raise
    return Received(name, size, form, layout)


def create(kind: str, filename: str, received: Received, *, user_id: int | None) -> DataImport:
    """An import of a received file; nothing is taken in yet."""
    row = DataImport(
        kind=kind, filename=(Path(filename).name or "file")[:200], stored_as=received.stored_as, form=received.form,
        layout=received.layout, size_bytes=received.size_bytes, user_id=user_id,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    audit.record("import.uploaded", row, label=row.filename, after={"kind": kind, "bytes": row.size_bytes})
    return row


def get_import(import_id: int, *, for_update: bool = False) -> DataImport:
    return get_required(DataImport, import_id, for_update=for_update, label="Import")


def list_imports() -> Select[Any]:
    """Newest first, as a statement to page."""
    return select(DataImport).order_by(DataImport.id.desc())


def suggested(row: DataImport) -> dict[str, str]:
    """A mapping to begin with."""
    return imports_mapping.suggest(row.layout.get("columns", []), row.kind)


def start(import_id: int, mapping: dict[str, str]) -> DataImport:
    """Begin in the background; refused for one that was begun before. Without a mapping, rows are events as sent."""
    row = get_import(import_id, for_update=True)
    if row.state != ImportState.UPLOADED:
        raise Conflict("This import was started already. Upload the file again to repeat it.")
    _check(row, mapping)
    row.mapping, row.state = mapping, ImportState.QUEUED
    job = enqueue("cdp.import", unique_key=f"cdp.import:{row.id}", label=f"Import {row.filename}", import_id=row.id)
    row.job_id = job.id
    db.session.flush()
    audit.record("import.started", row, label=row.filename)
    return row


def cancel(import_id: int) -> DataImport:
    """Stop between two steps; what is in stays. Refused for one that is over."""
    row = get_import(import_id, for_update=True)
    if row.state not in (ImportState.UPLOADED, *LIVE):
        raise Conflict("This import is over.")
    row.state, row.finished_at = ImportState.CANCELLED, utc_now()
    forget_file(row)
    audit.record("import.cancelled", row, label=row.filename)
    return row


def try_out(import_id: int, mapping: dict[str, str]) -> Trial:
    """What the first 1,000 rows would do; nothing is written."""
    row = get_import(import_id)
    if row.state != ImportState.UPLOADED:
        raise Conflict("This import was started already.")
    _check(row, mapping)
    trial, kept = Trial(), []
    clean = cleaner(row, mapping)
    rows = imports_reader.read(path_of(row), row.form, row.layout, 0, 0)
    for one, _ in zip(rows, range(TRIED_ROWS), strict=False):
        trial.rows += 1
        try:
            event, said = clean(one)
            kept.append(event)
            _count_consents(said, trial)
        except RowRefused as error:
            trial.rejected += 1
            if len(trial.errors) < SHOWN_ERRORS:
                trial.errors.append({"row": one.number, "field": error.field, "message": error.message})
    trial.accepted = len(kept)
    _count_people(kept, trial)
    return trial


def rejected_file(import_id: int) -> Path:
    """The rows that were refused, with the reasons; NotFound when there are none."""
    row = get_import(import_id)
    path = storage.path_of(FOLDER, f"{row.id}-rejected.csv")
    if not row.rejected or not path.exists():
        raise NotFound("No row of this import was refused.")
    return path


def cleaner(row: DataImport, mapping: dict[str, str]) -> Any:
    """A function from a row of the file to an event that can be kept and what it says of consent; raises RowRefused."""
    rules, now, is_person = load_rules(), utc_now(), row.kind == ImportKind.PEOPLE
    apply = imports_mapping.applied(mapping, reads_numbers=row.form == "csv") if mapping else None

    def clean(one: Row) -> tuple[EventRow, Said]:
        if one.problem or one.values is None:
            raise RowRefused("", one.problem)
        raw = apply(one.values) if apply else one.values
        said = imports_consent.read(raw, now) if is_person else NOTHING
        return ingestion_rows.clean(raw, rules, now, is_person=is_person), said

    return clean


def path_of(row: DataImport) -> Path:
    return storage.path_of(FOLDER, row.stored_as)


def forget_file(row: DataImport) -> None:
    """The uploaded file is not needed any more; the refused rows stay."""
    storage.remove(FOLDER, row.stored_as)


def fail(import_id: int, error: str) -> None:
    """Note why it did not come to its end."""
    row = get_import(import_id, for_update=True)
    row.state, row.error, row.finished_at = ImportState.FAILED, error[:500], utc_now()


def _check(row: DataImport, mapping: dict[str, str]) -> None:
    if mapping or row.form == "csv":
        imports_mapping.check(mapping, row.layout.get("columns", []), row.kind)


def _count_people(rows: list[EventRow], trial: Trial) -> None:
    known = identity.find_known({one for row in rows for one in row.identities}, utc_now())
    people = Counter(any(one in known for one in identities) for identities in {row.identities for row in rows})
    trial.known_people, trial.new_people = people[True], people[False]


def _count_consents(said: Said, trial: Trial) -> None:
    for channel, state, _ in said.answers:
        of_channel = trial.consents.setdefault(channel, {})
        of_channel[state.value] = of_channel.get(state.value, 0) + 1
