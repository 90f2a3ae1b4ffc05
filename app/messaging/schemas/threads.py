"""Talks in and out: ours beyond the messaging contract."""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from app.core.clock import iso
from app.messaging.queries.threads import Entry, ThreadRow
from app.messaging.services import delivery_reference
from app.messaging.services.threads import MOST_CHARACTERS, find_refusal, window_ends_at

View = Literal["open", "mine", "unassigned", "closed", "all"]


class ThreadsQuery(BaseModel):
    """`before` is `next` of the page before."""

    state: View = "open"
    q: str = Field("", max_length=100, description="How a name begins, part of a number, a word of the last text.")
    before: str = Field("", max_length=80)
    limit: int = Field(30, ge=1, le=100)


class EntriesQuery(BaseModel):
    """`before` is the time of the oldest entry of the page before."""

    before: str = Field("", max_length=40, description="An ISO 8601 time.")


class ReplyIn(BaseModel):
    """`token` is the caller's own: the same one again sends nothing again."""

    model_config = ConfigDict(extra="forbid")

    body: str = Field(max_length=MOST_CHARACTERS * 4, examples=["It is on its way."])
    token: str = Field(default_factory=lambda: uuid4().hex, min_length=8, max_length=40, pattern="^[A-Za-z0-9_-]+$")


class TemplateReplyIn(BaseModel):
    """An approved text; `parameters` outweigh what is known of the person. `token` as in an answer."""

    model_config = ConfigDict(extra="forbid")

    template: str = Field(min_length=1, max_length=400, examples=["your_box_tomorrow"])
    parameters: dict[str, str | int | float | bool] = Field({}, max_length=100, examples=[{"day": "Friday"}])
    token: str = Field(default_factory=lambda: uuid4().hex, min_length=8, max_length=40, pattern="^[A-Za-z0-9_-]+$")


class AssignIn(BaseModel):
    """Null gives it to nobody."""

    model_config = ConfigDict(extra="forbid")

    user_id: int | None = Field(ge=1, lt=2**31)


class ThreadOut(BaseModel):
    """`sender` is the number of ours they wrote to; `assigned_to` a user's id."""

    id: int
    channel: Literal["sms", "whatsapp"]
    phone: str
    sender: str
    profile_id: int | None
    title: str
    state: Literal["open", "closed"]
    assigned_to: int | None
    unread: int
    preview: str
    last_at: str
    last_inbound_at: str | None


class ThreadsOut(BaseModel):
    """`next` leads on; null at the end."""

    threads: list[ThreadOut]
    unread: int = Field(description="Talks of the workspace with something unread, counted up to a hundred.")
    next: str | None


class MediaOut(BaseModel):
    """A picture or file, where the provider keeps it."""

    url: str
    type: str


class EntryOut(BaseModel):
    """Something said. `kind` of what they wrote: text, stop, start or help; of ours: reply or campaign."""

    id: str
    direction: Literal["in", "out"]
    kind: Literal["text", "stop", "start", "help", "reply", "campaign"]
    body: str
    at: str
    media: list[MediaOut]
    campaign_name: str | None
    status: str | None = Field(description="How ours fares, as the provider last said.")
    error_code: int | None


class ThreadDetailOut(ThreadOut):
    """With what was said, oldest first; `refusal` says why nobody may answer now, if so."""

    entries: list[EntryOut]
    refusal: str
    window_ends_at: str | None = Field(description="Until when WhatsApp takes a free text; null for SMS.")


def thread_out(row: ThreadRow) -> dict[str, Any]:
    one = row.thread
    return {
        "id": one.id, "channel": one.channel, "phone": one.address, "sender": one.sender,
        "profile_id": one.profile_id, "title": row.title, "state": one.state, "assigned_to": one.assigned_to,
        "unread": one.unread, "preview": one.preview, "last_at": iso(one.last_at),
        "last_inbound_at": iso(one.last_inbound_at),
    }  # fmt: skip


def detail_out(row: ThreadRow, entries: list[Entry]) -> dict[str, Any]:
    window = window_ends_at(row.thread) if row.thread.channel == "whatsapp" else None
    said = {"refusal": find_refusal(row.thread), "window_ends_at": iso(window)}
    return thread_out(row) | said | {"entries": [entry_out(one) for one in entries]}


def entry_out(entry: Entry) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "at": iso(entry.at),
        "media": [],
        "campaign_name": None,
        "status": None,
        "error_code": None,
    }
    if entry.inbound is not None:
        row = entry.inbound
        said = {"id": row.uuid, "direction": "in", "kind": row.kind, "body": row.body, "media": row.media}
        return shared | said
    assert entry.message is not None
    sent = entry.message
    return shared | {
        "id": delivery_reference.public_id(sent.id), "direction": "out",
        "kind": "reply" if sent.thread_id is not None else "campaign", "body": sent.body or "",
        "campaign_name": entry.campaign or None, "status": sent.state, "error_code": sent.error_code,
    }  # fmt: skip
