"""Searching the audit log, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from app.accounts.models import AuditEntry, User
from app.core.db import db
from app.core.paging import Page, paginate


@dataclass(frozen=True)
class AuditFilter:
    """What to look for; what is left empty does not narrow. `since` is included, `until` is not.

    `who` is part of the actor's name or address; `actions` are whole actions or their beginnings;
    `credential` is a kind ("api_key") or one credential ("api_key:7").
    """

    who: str = ""
    actor_id: int | None = None
    actions: Sequence[str] = ()
    subject_type: str = ""
    subject_id: str = ""
    text: str = ""
    credential: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == AuditFilter()


def list_entries(wanted: AuditFilter, limit: int, *, before_id: int | None = None) -> list[AuditEntry]:
    """The next entries older than `before_id`: no count is taken, so the length of the log does not matter."""
    statement = _statement(wanted)
    if before_id is not None:
        statement = statement.where(AuditEntry.id < before_id)
    return list(db.session.scalars(statement.limit(limit)))


def page_entries(wanted: AuditFilter, page: int, limit: int) -> Page[AuditEntry]:
    """A page with its count, as the stratum contract pages lists."""
    return paginate(_statement(wanted), page, limit)


def name_actors(entries: Sequence[AuditEntry]) -> dict[int, str]:
    """What the people behind these entries are called now, by id; one query."""
    ids = {entry.actor_id for entry in entries if entry.actor_id is not None}
    if not ids:
        return {}
    users = db.session.scalars(select(User).where(User.id.in_(ids)))
    return {user.id: user.display_name for user in users}


def _statement(wanted: AuditFilter) -> Select[Any]:
    statement = select(AuditEntry).order_by(AuditEntry.id.desc())
    for name in ("actor_id", "subject_type", "subject_id"):
        if value := getattr(wanted, name):
            statement = statement.where(getattr(AuditEntry, name) == value)
    if wanted.who:
        named = select(User.id).where(User.name.icontains(wanted.who, autoescape=True))
        label = AuditEntry.actor_label.icontains(wanted.who, autoescape=True)
        statement = statement.where(or_(label, AuditEntry.actor_id.in_(named)))
    if wanted.actions:
        begins = (AuditEntry.action.startswith(action, autoescape=True) for action in wanted.actions)
        statement = statement.where(or_(*begins))
    if wanted.text:
        columns = (AuditEntry.subject_label, AuditEntry.action, AuditEntry.address, AuditEntry.request_id)
        statement = statement.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    return _in_time(_with_credential(statement, wanted.credential), wanted.since, wanted.until)


def _with_credential(statement: Select[Any], credential: str) -> Select[Any]:
    if not credential:
        return statement
    one_of_kind = AuditEntry.credential.startswith(f"{credential}:", autoescape=True)
    return statement.where(or_(AuditEntry.credential == credential, one_of_kind))


def _in_time(statement: Select[Any], since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        statement = statement.where(AuditEntry.at >= since)
    return statement if until is None else statement.where(AuditEntry.at < until)
