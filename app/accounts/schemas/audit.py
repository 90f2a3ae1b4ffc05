"""How the audit log is asked for and how it answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.accounts.models import AuditEntry
from app.accounts.services.audit_search import AuditFilter
from app.core.clock import iso
from app.core.paging import PageQuery

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _begins_with_a_date(value: Any) -> Any:
    """A bare number would be read as seconds since 1970, which nobody means here."""
    if isinstance(value, str) and not _DAY.match(value):
        raise ValueError("must be a date such as 2026-01-31, or a time as ISO 8601 writes it")
    return value


def _whole_day(value: Any) -> Any:
    """A bare date as an end means the end of that day."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return datetime.fromisoformat(value) + timedelta(days=1)
        except (ValueError, OverflowError):
            raise ValueError("must be a date of the calendar") from None
    return _begins_with_a_date(value)


def _in_utc(moment: datetime) -> datetime:
    """One without a zone is taken as UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a date of the calendar") from None


Since = Annotated[datetime, BeforeValidator(_begins_with_a_date), AfterValidator(_in_utc)]
Until = Annotated[datetime, BeforeValidator(_whole_day), AfterValidator(_in_utc)]


class AuditFields(BaseModel):
    """What narrows the log; all of it must fit. Texts are looked for without regard to case."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore")

    actor: str = Field("", max_length=120, description="Part of the actor's name or address.")
    actor_id: int | None = Field(None, ge=1, le=2**31 - 1)
    action: str = Field(
        "",
        max_length=300,
        description="Actions or their beginnings, as api_key or api_key.revoked, with commas between.",
    )
    subject_type: str = Field("", max_length=40)
    subject_id: str = Field("", max_length=64)
    q: str = Field("", max_length=120, description="Part of the subject's name, the action, address or request id.")
    credential: str = Field("", max_length=40, description="A kind, as api_key, or one credential, as api_key:7.")
    since: Since | None = Field(None, alias="from", description="Entries from this time on; a date begins in UTC.")
    until: Until | None = Field(None, alias="to", description="Entries before this time; a date counts whole, in UTC.")

    def as_filter(self) -> AuditFilter:
        actions = tuple(name for part in self.action.split(",") if (name := part.strip()))
        return AuditFilter(
            self.actor.strip(), self.actor_id, actions, self.subject_type, self.subject_id, self.q.strip(),
            self.credential, self.since, self.until,
        )  # fmt: skip


class AuditQuery(AuditFields, PageQuery):
    """The log, page by page."""


class AuditExportQuery(AuditFields):
    """The log as one file."""

    format: Literal["csv", "json"] = "csv"


class ActorOut(BaseModel):
    id: int | None
    label: str


class SubjectOut(BaseModel):
    type: str
    id: str
    label: str


class AuditEntryOut(BaseModel):
    """One entry. `before` and `after` hold only what changed."""

    id: int
    at: datetime
    action: str
    actor: ActorOut
    credential: str
    subject: SubjectOut
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str
    browser: str
    request_id: str


def show_entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": iso(entry.at),
        "action": entry.action,
        "actor": {"id": entry.actor_id, "label": entry.actor_label},
        "credential": entry.credential,
        "subject": {"type": entry.subject_type, "id": entry.subject_id, "label": entry.subject_label},
        "before": entry.before,
        "after": entry.after,
        "address": entry.address,
        "browser": entry.browser,
        "request_id": entry.request_id,
    }
