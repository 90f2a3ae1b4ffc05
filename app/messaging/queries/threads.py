"""Talks as the inbox shows them: a list one can search and page through, and what was said in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, column, func, or_, select, table, true

from app.cdp.queries import profiles
from app.cdp.queries.lists import ids_in
from app.cdp.queries.titles import title_of
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import Campaign, InboundMessage, Message, MessageThread, ThreadState

PAGE = 30
ENTRIES = 60
MOST_COUNTED = 100
OPEN, CLOSED, MINE, UNASSIGNED, EVERYONE = "open", "closed", "mine", "unassigned", "all"
VIEWS = (OPEN, MINE, UNASSIGNED, CLOSED, EVERYONE)
_people = table("profiles", *map(column, ("id", "tenant_id", "name", "email", "phone", "user_id", "merged_into_id")))
_users = table("users", column("id"), column("name"), column("email"))
_tenants = table("tenants", column("id"), column("name"))


@dataclass(frozen=True)
class ThreadRow:
    """A talk with the names that go with it. `assignee` is empty when nobody has it."""

    thread: MessageThread
    title: str
    assignee: str


@dataclass(frozen=True)
class Entry:
    """Something said in a talk: by them (`inbound`), or by us by hand or with a campaign (`message`)."""

    at: datetime
    inbound: InboundMessage | None = None
    message: Message | None = None
    campaign: str = ""


def read_moment(text: str) -> datetime | None:
    """An ISO 8601 time in UTC, which one without a zone is; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Cursor:
    """Where a page of the list ended."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for anything we did not write."""
        moment, _, number = text.partition("~")
        at = read_moment(moment)
        is_ours = at is not None and number.isascii() and number.isdecimal() and len(number) < 18
        return cls(at, int(number)) if at is not None and is_ours else None


def list_threads(
    view: str = OPEN, user_id: int | None = None, q: str = "", before: Cursor | None = None, limit: int = PAGE
) -> tuple[list[ThreadRow], Cursor | None]:
    """The talks of a view, the latest first, and where to go on; None at the end."""
    statement = select(MessageThread).where(*_of_view(view, user_id), *_matching(q.strip()))
    if before is not None:
        later = and_(MessageThread.last_at == before.at, MessageThread.id < before.id)
        statement = statement.where(or_(MessageThread.last_at < before.at, later))
    newest = (MessageThread.last_at.desc(), MessageThread.id.desc())
    found = list(db.session.scalars(statement.order_by(*newest).limit(limit + 1)))
    shown = found[:limit]
    more = Cursor(shown[-1].last_at, shown[-1].id) if len(found) > limit else None
    return named(shown), more


def named(threads: Sequence[MessageThread]) -> list[ThreadRow]:
    """With whose they are and who has them: two statements however many."""
    titles = _titles({one.profile_id for one in threads if one.profile_id is not None})
    users = _user_names({one.assigned_to for one in threads if one.assigned_to is not None})
    return [
        ThreadRow(one, titles.get(one.profile_id or 0) or _bare(one.address), users.get(one.assigned_to or 0, ""))
        for one in threads
    ]


def _bare(address: str) -> str:
    """The number, or what stands in its place once its person was erased."""
    return "Somebody who was erased" if address.startswith("erased ") else address


def count_unread() -> int:
    """How many talks hold something unread, counted up to a hundred: it is asked for with every page."""
    waiting = select(MessageThread.id).where(MessageThread.unread > 0).limit(MOST_COUNTED).subquery()
    return db.session.scalar(select(func.count()).select_from(waiting)) or 0


def has_threads() -> bool:
    return db.session.scalar(select(MessageThread.id).limit(1)) is not None


def list_entries(thread: MessageThread, before: datetime | None = None, limit: int = ENTRIES) -> list[Entry]:
    """What was said last before a moment, oldest first: their texts, our answers, and campaigns that reached them."""
    until = InboundMessage.received_at < before if before else true()
    inbound = select(InboundMessage).where(InboundMessage.thread_id == thread.id, until)
    found = [
        Entry(row.received_at, inbound=row)
        for row in db.session.scalars(inbound.order_by(InboundMessage.id.desc()).limit(limit))
    ]
    replies = select(Message).where(Message.thread_id == thread.id, Message.created_at < before if before else true())
    found += [
        Entry(row.created_at, message=row)
        for row in db.session.scalars(replies.order_by(Message.id.desc()).limit(limit))
    ]
    found += _campaign_entries(thread, before, limit)
    return sorted(found, key=lambda entry: entry.at)[-limit:]


def _campaign_entries(thread: MessageThread, before: datetime | None, limit: int) -> list[Entry]:
    if thread.profile_id is None:
        return []
    statement = (
        select(Message, Campaign.name)
        .outerjoin(Campaign, Campaign.id == Message.campaign_id)
        .where(
            Message.profile_id == thread.profile_id, Message.channel == thread.channel, Message.sent_at.is_not(None),
            Message.address == thread.address, Message.thread_id.is_(None),
            Message.sent_at < before if before else true(),
        )
        .order_by(Message.sent_at.desc())
        .limit(limit)
    )  # fmt: skip
    found: Any = db.session.execute(statement)
    return [Entry(row.sent_at, message=row, campaign=name or "") for row, name in found]


def workspace_name() -> str:
    """What people read of us in an answer."""
    return db.session.scalar(select(_tenants.c.name).where(_tenants.c.id == current_tenant_id())) or ""


def _of_view(view: str, user_id: int | None) -> list[ColumnElement[bool]]:
    if view == EVERYONE:
        return []
    if view == CLOSED:
        return [MessageThread.state == ThreadState.CLOSED]
    chosen: list[ColumnElement[bool]] = [MessageThread.state == ThreadState.OPEN]
    if view == MINE:
        chosen.append(MessageThread.assigned_to == (user_id or 0))
    if view == UNASSIGNED:
        chosen.append(MessageThread.assigned_to.is_(None))
    return chosen


def _matching(q: str) -> list[ColumnElement[bool]]:
    """By what begins a name or an identity, by part of a number, or by a word of the last text."""
    if not q:
        return []
    hits: list[ColumnElement[bool]] = [
        MessageThread.profile_id.in_(ids_in(profiles.find_ids(q))),
        func.lower(MessageThread.preview).contains(q.lower(), autoescape=True),
    ]
    digits = "".join(one for one in q if one.isdecimal() and one.isascii())
    if len(digits) >= 3:
        hits.append(MessageThread.address.contains(digits))
    return [or_(*hits)]


def _titles(profile_ids: Iterable[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(_people).where(_people.c.tenant_id == current_tenant_id(), _people.c.id.in_(ids_in(profile_ids)))
    )
    return {row.id: title_of(row) for row in rows}  # type: ignore[arg-type]


def _user_names(user_ids: Iterable[int]) -> dict[int, str]:
    rows = db.session.execute(select(_users).where(_users.c.id.in_(ids_in(user_ids))))
    return {row.id: row.name or row.email for row in rows}
