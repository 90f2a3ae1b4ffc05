"""Talks with people: opened by what they write, answered by hand, taken and closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.accounts import queries as accounts_queries
from app.accounts.services import audit
from app.cdp.services import consent, identity
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import InvalidTransition, ValidationFailed
from app.core.events import emit
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.messaging.events import ThreadMoved
from app.messaging.models import Message, MessageChannel, MessageState, MessageThread, ThreadState
from app.messaging.services import opt_outs, suppressions, text_parts

WINDOW = timedelta(hours=24)
MOST_CHARACTERS = 1600
PREVIEW = 200
LATE = "More than 24 hours have passed since they last wrote. WhatsApp then takes approved templates only."
STOPPED = "This person said STOP. Nobody can write to them on this channel until they write START."
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,40}")


@dataclass(frozen=True)
class Talk:
    """What makes a talk one: a person's number, a channel, and the sender of ours they wrote to."""

    channel: str
    address: str
    sender: str
    profile_id: int | None


def get_thread(thread_id: int, *, for_update: bool = False) -> MessageThread:
    return get_required(MessageThread, thread_id, for_update=for_update, label="Thread")


def receive(talk: Talk, *, preview: str, at: datetime, is_text: bool) -> MessageThread:
    """The thread of a message that came in; a text opens it again and is unread, a STOP or START is only noted."""
    thread = _find(talk)
    if thread is None:
        thread = MessageThread(
            channel=talk.channel, address=talk.address, sender=talk.sender, state=ThreadState.CLOSED, unread=0,
            last_at=at, created_at=at,
        )  # fmt: skip
        db.session.add(thread)
    if talk.profile_id is not None:
        thread.profile_id = talk.profile_id
    thread.preview = _one_line(preview)
    thread.last_at = max(at, thread.last_at)
    thread.last_inbound_at = max(at, thread.last_inbound_at or at)
    if is_text:
        thread.state, thread.unread = ThreadState.OPEN, thread.unread + 1
    return _moved(thread)


def mark_read(thread_id: int) -> MessageThread:
    """Somebody looked at it: nothing is unread any more."""
    thread = get_thread(thread_id, for_update=True)
    if thread.unread:
        thread.unread = 0
        _moved(thread)
    return thread


def reply(thread_id: int, body: str, token: str, *, user_id: int | None) -> Message:
    """Write to the person by hand; the same token again gives the same message. Refused after a STOP, and on WhatsApp
    once 24 hours have passed since they wrote. Who answers has taken the talk, if nobody had."""
    thread = get_thread(thread_id, for_update=True)
    sent = find_sent(thread, token)
    if sent is not None:
        return sent
    text = _checked(body)
    refusal = find_refusal(thread)
    if refusal:
        raise InvalidTransition(refusal)
    now = utc_now()
    message = Message(
        thread_id=thread.id, profile_id=find_person(thread), channel=thread.channel, address=thread.address,
        sender=thread.sender, body=text, token=token, due_at=now, created_at=now, state=MessageState.PENDING,
        segments=text_parts.count(text).parts if thread.channel == MessageChannel.SMS else 1,
    )  # fmt: skip
    db.session.add(message)
    db.session.flush()
    enqueue("messaging.send_one", unique_key=f"messaging.send_one:{message.id}", message_id=message.id)
    note_answer(thread, text, user_id)
    return message


def find_sent(thread: MessageThread, token: str) -> Message | None:
    """What the page with this token sent already; refuses what is no token."""
    if not _TOKEN.fullmatch(token):
        raise ValidationFailed("token: must be 8 to 40 letters, digits, - or _.", field="token")
    return db.session.scalars(select(Message).where(Message.thread_id == thread.id, Message.token == token)).first()


def note_answer(thread: MessageThread, text: str, user_id: int | None) -> None:
    """The talk after we wrote: open, read, and taken by who wrote if nobody had it."""
    thread.state, thread.unread, thread.last_at = ThreadState.OPEN, 0, utc_now()
    thread.preview = _one_line(f"You: {text}")
    thread.assigned_to = thread.assigned_to or user_id
    _moved(thread)


def find_refusal(thread: MessageThread, now: datetime | None = None) -> str:
    """Why nobody may write into this talk now, in words; empty when one may."""
    refusal = find_no(thread)
    return refusal or (f"{LATE} Send one, or wait until they write again." if is_out_of_window(thread, now) else "")


def find_no(thread: MessageThread) -> str:
    """Why this person gets nothing from us on the channel, in words; empty where nothing is in the way."""
    if not thread.address.startswith("+"):
        return "There is no number to answer to in this talk."
    if suppressions.is_stopped(thread.channel, thread.address):  # of somebody with this number who was erased since
        return STOPPED
    person = find_person(thread)
    if person is not None and consent.states_of(person)[thread.channel] == "denied":
        if opt_outs.is_stopped(person, thread.channel):
            return STOPPED
        if not _wrote_since_denial(thread, person):
            return "This person withdrew their consent on this channel and has not written since."
    return ""


def is_out_of_window(thread: MessageThread, now: datetime | None = None) -> bool:
    """Whether WhatsApp takes approved templates only in this talk."""
    return thread.channel == MessageChannel.WHATSAPP and window_ends_at(thread, now) is None


def find_person(thread: MessageThread) -> int | None:
    """Who has the number by now: people turn out to be one, and parts of them others, after a talk began."""
    number = ("phone", thread.address)
    known = identity.find_known([number], utc_now()).get(number)
    return known.profile_id if known else None


def window_ends_at(thread: MessageThread, now: datetime | None = None) -> datetime | None:
    """Until when WhatsApp takes a free text; None when it takes none any more."""
    if thread.last_inbound_at is None:
        return None
    ends_at = thread.last_inbound_at + WINDOW
    return ends_at if ends_at > (now or utc_now()) else None


def assign(thread_id: int, user_id: int | None) -> MessageThread:
    """Give the talk to somebody of the workspace, or to nobody."""
    thread = get_thread(thread_id, for_update=True)
    if user_id is not None and not _is_working(user_id):
        raise ValidationFailed("user_id: nobody of this workspace has this id.", field="user_id", provided=user_id,
                               expected="the id of a member")  # fmt: skip
    if thread.assigned_to != user_id:
        audit.record("thread.assigned", thread, before={"assigned_to": thread.assigned_to},
                     after={"assigned_to": user_id}, label=f"Talk {thread.id}")  # fmt: skip
        thread.assigned_to = user_id
        _moved(thread)
    return thread


def close(thread_id: int) -> MessageThread:
    """Put it away; it opens again by itself when they write."""
    thread = get_thread(thread_id, for_update=True)
    thread.state, thread.unread = ThreadState.CLOSED, 0
    return _moved(thread)


def reopen(thread_id: int) -> MessageThread:
    thread = get_thread(thread_id, for_update=True)
    thread.state = ThreadState.OPEN
    return _moved(thread)


def _is_working(user_id: int) -> bool:
    found = accounts_queries.find_person(user_id)
    return found is not None and found.is_active


def _find(talk: Talk) -> MessageThread | None:
    statement = select(MessageThread).where(
        MessageThread.channel == talk.channel, MessageThread.address == talk.address,
        MessageThread.sender == talk.sender,
    )  # fmt: skip
    return db.session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _moved(thread: MessageThread) -> MessageThread:
    db.session.flush()
    emit(ThreadMoved(current_tenant_id(), thread.id))
    return thread


def _checked(body: str) -> str:
    text = body.strip()
    if not text:
        raise ValidationFailed("body: write something.", field="body", provided="", expected="1 to 1,600 characters")
    if len(text) > MOST_CHARACTERS:
        raise ValidationFailed(
            f"body: is {len(text)} characters long; at most {MOST_CHARACTERS} can be sent.",
            field="body", provided=len(text), expected="1 to 1,600 characters",
        )  # fmt: skip
    return text


def _wrote_since_denial(thread: MessageThread, person: int) -> bool:
    denials = [
        row.at for row in consent.list_records(person)
        if row.channel == thread.channel and row.state == "denied"
    ]  # fmt: skip
    return bool(thread.last_inbound_at and denials and thread.last_inbound_at > max(denials))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:PREVIEW]
