"""The messages of one campaign, one by one: page by page from an index, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import column, func, literal_column, select, table, text

from app.cdp.queries import profiles
from app.cdp.queries.lists import ids_in
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import LOST, OPEN, REACHED, CampaignTally, CampaignVariant, Message, MessageState, Skip

_messages: Any = Message.__table__
# Said with the very words of the partial index, or SQLite would not use it.
_OF_PEOPLE = text("messages.campaign_id IS NOT NULL AND messages.profile_id IS NOT NULL")
_people = table("profiles", *map(column, ("id", "tenant_id", "name", "email", "phone", "user_id")))
ORDER = (
    MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.UNDELIVERED, MessageState.FAILED, MessageState.QUEUED,
    MessageState.SENT, MessageState.READ, MessageState.DELIVERED, MessageState.PENDING, MessageState.CANCELLED,
    MessageState.SKIPPED,
)  # fmt: skip
"""What moves or went wrong before what is settled."""
GROUPS: dict[str, tuple[str, Sequence[str]]] = {
    "": ("All", ORDER),
    "waiting": ("Waiting", OPEN),
    "way": ("On the way", (MessageState.QUEUED, MessageState.SENT)),
    "delivered": ("Delivered", REACHED),
    "failed": ("Failed", LOST),
    "skipped": ("Skipped", (MessageState.SKIPPED,)),
    "cancelled": ("Cancelled", (MessageState.CANCELLED,)),
}
PAGE = 25
STEP = 5000
RATE_SECONDS = 30
COLUMNS = ("id", "profile_id", "variant_id", "address", "state", "reason", "error_code", "attempts", "segments", "body",
           "sent_at", "delivered_at", "due_at")  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What of the log is asked for: a group of states, a reason, a text, somebody."""

    group: str = ""
    reason: str = ""
    variant_id: int = 0
    q: str = ""


@dataclass(frozen=True)
class Line:
    """A message with who it is to. `variant` is a label, empty for who gets none."""

    row: Any
    name: str
    variant: str


@dataclass(frozen=True)
class Cursor:
    """Where a page ended."""

    state: str
    id: int

    def __str__(self) -> str:
        return f"{self.state}.{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for anything we did not write."""
        state, _, number = text.partition(".")
        is_ours = state in set(MessageState) and number.isascii() and number.isdecimal() and len(number) < 18
        return cls(state, int(number)) if is_ours else None


def page_of(campaign_id: int, wanted: Wanted, after: Cursor | None = None) -> tuple[list[Line], Cursor | None]:
    """Some messages and where to go on; None at the end."""
    rows = _rows(campaign_id, wanted, after, PAGE + 1)
    shown = rows[:PAGE]
    more = Cursor(shown[-1].state, shown[-1].id) if len(rows) > PAGE else None
    return _named(campaign_id, shown), more


def each(campaign_id: int, wanted: Wanted) -> Iterator[list[Line]]:
    """All of them, a step at a time; no transaction stays open between the steps."""
    after: Cursor | None = None
    while True:
        rows = _rows(campaign_id, wanted, after, STEP)
        if not rows:
            return
        lines = _named(campaign_id, rows)
        after = Cursor(rows[-1].state, rows[-1].id)
        db.session.rollback()
        yield lines


def count_lately(campaign_id: int, seconds: int = RATE_SECONDS) -> int:
    """How many left in the last seconds."""
    statement = select(func.count()).where(
        _messages.c.tenant_id == current_tenant_id(), _messages.c.sent_at >= utc_now() - timedelta(seconds=seconds),
        _messages.c.campaign_id == campaign_id,
    )  # fmt: skip
    return db.session.scalar(statement) or 0


def find_retries(campaign_id: int, most: int = 5000) -> tuple[int, datetime | None]:
    """How many wait for another try, counted up to so many, and when the first of them is due."""
    waiting = (
        select(_messages.c.due_at)
        .where(
            _messages.c.campaign_id == campaign_id, _messages.c.state == literal_column("'pending'"),
            _messages.c.due_at > utc_now() + timedelta(seconds=5), _messages.c.attempts > 0,
            _messages.c.reason != Skip.QUIET_HOURS, _messages.c.tenant_id + 0 == current_tenant_id(),
        )
        .limit(most)
        .subquery()
    )  # fmt: skip
    n, first = db.session.execute(select(func.count(), func.min(waiting.c.due_at)).select_from(waiting)).one()
    return n, first


def _rows(campaign_id: int, wanted: Wanted, after: Cursor | None, limit: int) -> list[Any]:
    states = [state for state in ORDER if state in GROUPS[wanted.group][1]]
    if after is not None:
        states = states[states.index(MessageState(after.state)) :] if after.state in states else []
    if wanted.q:
        return _of_people(campaign_id, states, wanted, after)[:limit]
    counts = _counts(campaign_id, wanted) if wanted.reason or wanted.variant_id else None
    found: list[Any] = []
    for state in states:
        below = after.id if after is not None and after.state == state else None
        most = limit - len(found) if counts is None else min(limit - len(found), counts[state])
        if most:
            found += db.session.execute(_in_state(campaign_id, state, wanted, below).limit(most)).all()
        if len(found) >= limit:
            break
    return found


def _of_people(campaign_id: int, states: Sequence[str], wanted: Wanted, after: Cursor | None) -> list[Any]:
    """All rows of those the text finds, a thousand at most: each person has one, found by an index, so that nobody's
    campaign is walked for them."""
    ids = profiles.find_ids(wanted.q)
    if not ids or not states:
        return []
    where = [*_filters(campaign_id, wanted), _OF_PEOPLE, _messages.c.profile_id.in_(ids_in(ids))]
    place = {state: n for n, state in enumerate(ORDER)}
    rows = [row for row in db.session.execute(select(*_columns()).where(*where)) if row.state in states]
    rows.sort(key=lambda row: (place[row.state], -row.id))
    if after is None:
        return rows
    end = (place[MessageState(after.state)], -after.id)
    return [row for row in rows if (place[row.state], -row.id) > end]


def _counts(campaign_id: int, wanted: Wanted) -> Counter[str]:
    """How many of a reason or a text there are in each state at most, as they are kept: where there is none nothing is
    read, and nothing after the last of them."""
    statement = select(CampaignTally.state, CampaignTally.n).where(CampaignTally.campaign_id == campaign_id)
    if wanted.reason:
        statement = statement.where(CampaignTally.reason == wanted.reason)
    if wanted.variant_id:
        statement = statement.where(CampaignTally.variant_id == wanted.variant_id)
    counts: Counter[str] = Counter()
    for state, n in db.session.execute(statement):
        counts[state] += max(0, n)
    counts[MessageState.CLAIMED] = counts[MessageState.PENDING]  # what is in hand is kept among what waits
    return counts


def _in_state(campaign_id: int, state: str, wanted: Wanted, below: int | None) -> Any:
    where = [*_filters(campaign_id, wanted), _messages.c.campaign_id.is_not(None), _messages.c.state == state]
    if below is not None:
        where.append(_messages.c.id < below)
    return select(*_columns()).where(*where).order_by(_messages.c.id.desc())


def _filters(campaign_id: int, wanted: Wanted) -> list[Any]:
    where = [_messages.c.campaign_id == campaign_id, _messages.c.tenant_id + 0 == current_tenant_id()]
    if wanted.reason:
        where.append(_messages.c.reason == wanted.reason)
    if wanted.variant_id:
        where.append(_messages.c.variant_id == wanted.variant_id)
    return where


def _columns() -> list[Any]:
    return [_messages.c[name] for name in COLUMNS]


def _named(campaign_id: int, rows: Sequence[Any]) -> list[Line]:
    people = _names_of({row.profile_id for row in rows if row.profile_id is not None})
    labels = _labels_of(campaign_id)
    return [
        Line(row, people.get(row.profile_id, "Somebody who is gone"), labels.get(row.variant_id, "")) for row in rows
    ]


def _names_of(ids: set[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(_people).where(_people.c.id.in_(ids_in(ids)), _people.c.tenant_id + 0 == current_tenant_id())
    )
    return {row.id: row.name or row.email or row.phone or row.user_id or f"Anonymous {row.id}" for row in rows}


def _labels_of(campaign_id: int) -> dict[int, str]:
    rows = db.session.execute(
        select(CampaignVariant.id, CampaignVariant.label).where(CampaignVariant.campaign_id == campaign_id)
    )
    return {row.id: row.label for row in rows}
