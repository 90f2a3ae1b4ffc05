"""How uploads of contacts and a person's messages are put before people."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime

from app.cdp.services import merges
from app.messaging.models import ContactUpload, MessageChannel, MessageState, UploadState
from app.messaging.pages.inbox_view import STATES
from app.messaging.queries import contacts as queries
from app.messaging.queries.contacts import Talk
from app.messaging.services import words

UPLOAD_STATES: dict[str, tuple[str, str]] = {
    UploadState.QUEUED: ("Waiting", "idle"),
    UploadState.RUNNING: ("Running", "live"),
    UploadState.DONE: ("Done", "ok"),
    UploadState.FAILED: ("Failed", "bad"),
}
CHANNELS = {MessageChannel.SMS: "SMS", MessageChannel.WHATSAPP: "WhatsApp"}
MOST_SHOWN = 50


@dataclass(frozen=True)
class Line:
    """One message to or from a person, in words."""

    is_ours: bool
    channel: str
    body: str
    at: datetime
    word: str
    kind: str
    about: str
    url: str


def lines_of(profile_id: int) -> list[Line]:
    """The newest messages of a person, those of profiles merged into them among these."""
    return [_line(one) for one in queries.list_talk(merges.with_merged(profile_id), MOST_SHOWN)]


def _line(one: Talk) -> Line:
    word, kind = STATES[MessageState(one.state)] if one.state else ("Received", "live")
    if one.state == MessageState.SKIPPED:
        word, kind = words.of_message(one.state, one.reason)
    url = f"/app/inbox/{one.thread_id}" if one.thread_id else ""
    return Line(one.is_ours, CHANNELS.get(MessageChannel(one.channel), one.channel), one.body, one.at, word, kind,
                one.campaign, f"/app/campaigns/{one.campaign_id}" if one.campaign_id else url)  # fmt: skip


def errors_csv(row: ContactUpload) -> str:
    """The refused rows with the reasons. What a spreadsheet would take for a formula is marked as text."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["row", "field", "reason", "given"])
    for one in row.validation_errors:
        writer.writerow([one["row"], one["field"], one["message"], _cell(one["provided"])])
    return text.getvalue()


def _cell(value: object) -> object:
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if is_formula else value
