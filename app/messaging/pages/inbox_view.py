"""What the inbox shows: the list beside the talk, who said what, and whether one may answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import request

from app.accounts import queries as people
from app.accounts.guards import current_user, may
from app.cdp.services import consent
from app.messaging.models import LOST, InboundKind, Message, MessageChannel, MessageState, MessageThread
from app.messaging.pages import inbox_template
from app.messaging.pages.inbox_template import Choice
from app.messaging.providers.errors import remedy_for
from app.messaging.queries import threads as queries
from app.messaging.queries.threads import VIEWS, Cursor, Entry
from app.messaging.services import threads, words

MOST_COLLEAGUES = 100
VIEW_WORDS = {"open": "Open", "mine": "Mine", "unassigned": "Nobody's", "closed": "Closed", "all": "All"}
NOTES = {
    InboundKind.STOP: "Asked for no more messages",
    InboundKind.START: "Asked for messages again",
    InboundKind.HELP: "Asked who writes",
}
STATES = {
    MessageState.PENDING: ("Waiting to leave", "idle"),
    MessageState.CLAIMED: ("Leaving", "live"),
    MessageState.UNKNOWN: ("Not known whether it left; looked up", "warn"),
    MessageState.QUEUED: ("Handed over", "idle"),
    MessageState.SENT: ("Sent", "idle"),
    MessageState.DELIVERED: ("Delivered", "ok"),
    MessageState.READ: ("Read", "ok"),
    MessageState.UNDELIVERED: ("Not delivered", "bad"),
    MessageState.FAILED: ("Not sent", "bad"),
    MessageState.SKIPPED: ("Not sent", "bad"),
    MessageState.CANCELLED: ("Taken back", "idle"),
}


@dataclass(frozen=True)
class Bubble:
    """One thing said. `state` is how ours fares, in words and a colour; `why` what went wrong with it."""

    key: str
    at: datetime
    is_ours: bool
    body: str
    media: list[dict[str, str]]
    note: str
    campaign: str
    state: tuple[str, str] | None = None
    why: str = ""


def list_context(current: int | None = None) -> dict[str, Any]:
    """The list as the address asks for it: a view, a search, a place to go on from."""
    view = request.values.get("view", "open")
    view = view if view in VIEWS else "open"
    search = request.values.get("q", "").strip()[:100]
    rows, more = queries.list_threads(view, current_user().id, search, Cursor.read(request.values.get("before", "")))
    return {
        "rows": rows, "more": more, "view": view, "views": VIEW_WORDS, "search": search, "current": current,
        "is_paged": bool(request.values.get("before")), "has_any": bool(rows) or queries.has_threads(),
    }  # fmt: skip


def talk_context(
    thread: MessageThread, *, draft: str = "", error: str = "", token: str = "", is_sent: bool = False
) -> dict[str, Any]:
    """Everything right of the list; after an answer was sent nothing of its form is kept."""
    row = queries.named([thread])[0]
    is_whatsapp = thread.channel == MessageChannel.WHATSAPP
    said = consent.states_of(thread.profile_id) if thread.profile_id else {}
    refusal, choice = threads.find_refusal(thread), _choice(thread, {} if is_sent else request.values)
    if choice and choice.refusal:
        refusal = f"{threads.LATE} {choice.refusal}"
    return {
        "row": row, "thread": thread, "refusal": refusal, "choice": choice, "draft": draft, "error": error,
        "window_ends_at": threads.window_ends_at(thread) if is_whatsapp else None, "token": token or uuid4().hex,
        "consent": said.get(thread.channel, "unknown"), "colleagues": colleagues(), "is_whatsapp": is_whatsapp,
        "most_characters": threads.MOST_CHARACTERS, **entries_context(thread),
    }  # fmt: skip


def _choice(thread: MessageThread, fields: Mapping[str, str]) -> Choice | None:
    """The approved texts that may go where a free one may not; None for who may answer freely or not at all."""
    is_meant = may("messaging.send") and threads.is_out_of_window(thread) and not threads.find_no(thread)
    return inbox_template.choice_of(thread, fields) if is_meant else None


def entries_context(thread: MessageThread, before: datetime | None = None) -> dict[str, Any]:
    """What was said; `known` is a fingerprint of it, by which a page that is open says what it has."""
    found = queries.list_entries(thread, before)
    bubbles, has_earlier = [bubble_of(one) for one in found], len(found) == queries.ENTRIES
    known = hashlib.sha256(repr((bubbles, has_earlier)).encode()).hexdigest()[:16]
    return {"thread": thread, "bubbles": bubbles, "has_earlier": has_earlier, "known": known}


def colleagues() -> list[tuple[int, str]]:
    """Whom a talk can be given to."""
    found = people.list_people(None, True, "", 1, MOST_COLLEAGUES).items
    return [(one.user.id, one.user.name or one.user.email) for one in found]


def bubble_of(entry: Entry) -> Bubble:
    if entry.inbound is not None:
        row = entry.inbound
        note = NOTES.get(InboundKind(row.kind), "")
        return Bubble(f"in-{row.id}", entry.at, False, row.body, row.media, note, "")
    assert entry.message is not None
    sent = entry.message
    why = remedy_for(sent.error_code).words if sent.error_code and sent.state in LOST else ""
    state = _state_of(sent)
    campaign = "" if sent.thread_id is not None else entry.campaign or "Sent by a program"
    return Bubble(f"out-{sent.id}", entry.at, True, sent.body or "", [], "", campaign, state, why)


def _state_of(sent: Message) -> tuple[str, str]:
    word, kind = STATES[MessageState(sent.state)]
    if sent.state == MessageState.SKIPPED and sent.reason:
        label = words.of_skip(sent.reason).label
        return f"{word}: {label[:1].lower()}{label[1:]}", kind
    return word, kind
