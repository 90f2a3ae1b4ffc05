"""Taking a file of contacts in, a thousand rows a transaction; a run that stopped goes on after the last of them.

A yes in a file never outweighs a no somebody gave: a file is older than it looks. A STOP is lifted by START, or by
a change of that one person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from app.cdp.queries import contacts as people
from app.cdp.services import consent, identity, imports_reader, ingestion
from app.cdp.services.consent import ConsentValue, Statement
from app.cdp.services.identity_rules import load_rules
from app.cdp.services.imports_reader import Row
from app.cdp.services.ingestion import Taken
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import ContactUpload, UploadState
from app.messaging.queries import contacts as queries
from app.messaging.services import contact_uploads
from app.messaging.services.contact_rows import PHONE, ContactRow
from app.messaging.services.contact_words import CHANNEL, ConsentWord, Refusal, source_of, state_of, word_of

BATCH = 1000
_WEIGHT = {None: 0, ConsentWord.OPT_IN: 1, ConsentWord.OPT_OUT: 2, ConsentWord.STOP: 3}


@dataclass
class Step:
    """One batch of rows and where it began: those that can be kept, with their numbers in the file, and the others."""

    began_at: int
    last: Row
    kept: list[tuple[int, ContactRow]] = field(default_factory=list)
    refused: list[tuple[int, Refusal]] = field(default_factory=list)


def begin(upload_id: int) -> ContactUpload | None:
    """The upload, marked as running; None when it is over."""
    with unit_of_work():
        row = contact_uploads.get_upload(upload_id, for_update=True)
        if row.state not in contact_uploads.LIVE:
            return None
        row.state = UploadState.RUNNING
    return row


def steps(row: ContactUpload) -> Iterator[Step]:
    """The batches that are left, checked row by row."""
    clean = contact_uploads.cleaner(row, load_rules(), utc_now())
    rows = imports_reader.read(contact_uploads.path_of(row), row.form, row.layout, row.position, row.rows_done)
    position = row.position
    while batch := list(islice(rows, BATCH)):
        step = Step(position, batch[-1])
        for one in batch:
            try:
                step.kept.append((one.number, clean(one)))
            except Refusal as error:
                step.refused.append((one.number, error))
        yield step
        position = batch[-1].next_position


def take(upload_id: int, step: Step) -> ContactUpload | None:
    """Write a batch and how far it brought the upload, in one transaction; None when it is over by now.

    A batch that another run of the same job wrote already is passed over.
    """
    return ingestion.in_turns(lambda: _write(upload_id, step))


def _write(upload_id: int, step: Step) -> ContactUpload | None:
    row = contact_uploads.get_upload(upload_id, for_update=True)
    if row.state != UploadState.RUNNING:
        return None
    if row.position != step.began_at:
        return row
    created, updated, without = _keep(row, step.kept, utc_now())
    problems = sorted([*step.refused, *without], key=lambda one: one[0])
    row.created_count += created
    row.updated_count += updated
    row.error_count += len(problems)
    room = max(0, contact_uploads.MOST_ERRORS - len(row.validation_errors))
    if problems and room:
        row.validation_errors = row.validation_errors + [contact_uploads.problem(*one) for one in problems[:room]]
    row.position, row.bytes_done, row.rows_done = step.last.next_position, step.last.next_byte, step.last.number
    db.session.flush()
    return row


def _keep(
    upload: ContactUpload, rows: Sequence[tuple[int, ContactRow]], now: datetime
) -> tuple[int, int, list[tuple[int, Refusal]]]:
    """Write people and their words; how many numbers are new, how many were known, and whose found no place."""
    numbers = {("phone", row.phone) for _, row in rows}
    seen = {phone for _, phone in identity.find_known(numbers, now)}
    taken = ingestion.accept([row.person for _, row in rows], load_rules(), now, source=f"contacts {upload.id}")
    owners = _owners([row for _, row in rows], taken, now)
    created = 0
    without: list[tuple[int, Refusal]] = []
    placed: list[tuple[int, ContactRow]] = []
    for number, row in rows:
        if row.phone not in owners:
            without.append((number, _no_place(row)))
            continue
        placed.append((number, row))
        created += row.phone not in seen
        seen.add(row.phone)
    consent.record_many(_statements(upload, placed, owners, now))
    return created, len(placed) - created, without


def _owners(rows: Sequence[ContactRow], taken: Sequence[Taken], now: datetime) -> dict[str, int]:
    """Whose each number is. Only one that came with an e-mail address, which may have stayed alone, is asked for."""
    pairs = zip(rows, taken, strict=True)
    owners = {row.phone: one.profile_id for row, one in pairs if len(row.person.identities) == 1}
    others = {("phone", row.phone) for row in rows if row.phone not in owners}
    return owners | {phone: known.profile_id for (_, phone), known in identity.find_known(others, now).items()}


def _no_place(row: ContactRow) -> Refusal:
    message = "The e-mail address is of somebody with as many numbers as one may have"
    return Refusal(PHONE, message, row.phone, "a number of their own")


def _statements(
    upload: ContactUpload, rows: Sequence[tuple[int, ContactRow]], owners: dict[str, int], now: datetime
) -> list[Statement]:
    """The words that change something: one of each person, nothing said already, no yes after a no."""
    words = _words(rows, owners)
    before = people.said_on(CHANNEL, words)
    stopped = queries.stopped_numbers(CHANNEL, [row.phone for _, row in words.values()])
    found = []
    for profile_id, (number, row) in words.items():
        assert row.word is not None
        if _changes(row.word, word_of(before.get(profile_id)), row.phone in stopped):
            evidence: dict[str, Any] = {"upload": upload.id, "file": upload.filename, "row": number}
            source = source_of(row.word, "upload")
            found.append(Statement(profile_id, CHANNEL, state_of(row.word), source, now, evidence))
    return found


def _words(rows: Sequence[tuple[int, ContactRow]], owners: dict[str, int]) -> dict[int, tuple[int, ContactRow]]:
    """The row that counts for each person: the strictest word, wherever it stands, and the last that says it."""
    found: dict[int, tuple[int, ContactRow]] = {}
    for number, row in rows:
        known = found.get(owners[row.phone])
        if row.word and (known is None or _WEIGHT[row.word] >= _WEIGHT[known[1].word]):
            found[owners[row.phone]] = number, row
    return found


def _changes(word: ConsentWord, now: ConsentWord, is_stopped: bool) -> bool:
    """Whether a word in a file is put over the one in force."""
    if word == ConsentWord.OPT_IN:
        return now == ConsentWord.UNKNOWN and not is_stopped
    if word == ConsentWord.OPT_OUT:
        return state_of(now) != ConsentValue.DENIED
    return now != word
