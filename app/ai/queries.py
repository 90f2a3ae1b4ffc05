"""What is read of the AI door: access, choices, spend, calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, desc, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.ai.models import AICall, AICredential, AIPreference, PromptVersion
from app.core.db import db
from app.core.tenancy import platform_scope


@dataclass(frozen=True)
class Spent:
    """Known cost in millionths of a dollar, and how many calls have none."""

    micros: int
    unpriced_calls: int


def credentials_by_provider() -> dict[str, AICredential]:
    """The acting tenant's own access."""
    return {row.provider: row for row in db.session.scalars(select(AICredential))}


def list_recently_used(moment: datetime) -> list[tuple[int, str]]:
    """Tenants with access of their own that they used since then, across tenants: for the periodic check."""
    used = (
        select(AICall.id)
        .where(AICall.tenant_id == AICredential.tenant_id, AICall.provider == AICredential.provider)
        .where(AICall.created_at >= moment)
        .exists()
    )
    statement = select(AICredential.tenant_id, AICredential.provider).where(AICredential.is_enabled, used)
    with platform_scope():  # the periodic check serves all tenants
        return [(tenant_id, provider) for tenant_id, provider in db.session.execute(statement).all()]


def find_preference() -> AIPreference | None:
    return db.session.scalars(select(AIPreference)).one_or_none()


def spent_since(moment: datetime) -> Spent:
    """Answered from the index alone."""
    statement = select(
        func.coalesce(func.sum(AICall.cost_micros), 0),
        func.coalesce(func.sum(case((AICall.cost_micros.is_(None), 1), else_=0)), 0),
    ).where(AICall.created_at >= moment)
    micros, unpriced = db.session.execute(statement).one()
    return Spent(int(micros), int(unpriced))


def list_calls(limit: int = 50, *, failed_only: bool = False, before_id: int | None = None) -> list[AICall]:
    """The newest attempts."""
    statement = select(AICall).order_by(desc(AICall.id)).limit(limit)
    if failed_only:
        statement = statement.where(AICall.failure != "")
    if before_id is not None:
        statement = statement.where(AICall.id < before_id)
    return list(db.session.scalars(statement))


def latest_prompt_versions() -> dict[str, PromptVersion]:
    """Of each prompt the tenant worded, the wording in use."""
    newest = select(PromptVersion.name, func.max(PromptVersion.version).label("version")).group_by(PromptVersion.name)
    pairs = {row.name: row.version for row in db.session.execute(newest)}
    rows: Sequence[PromptVersion] = db.session.scalars(
        select(PromptVersion).where(PromptVersion.name.in_(pairs), PromptVersion.version.in_(pairs.values()))
    ).all()
    return {row.name: row for row in rows if row.version == pairs[row.name]}


def list_prompt_versions(name: str, limit: int = 100) -> list[PromptVersion]:
    """The tenant's wordings of a prompt, newest first."""
    statement = select(PromptVersion).where(PromptVersion.name == name).order_by(desc(PromptVersion.version))
    return list(db.session.scalars(statement.limit(limit)))


@dataclass(frozen=True)
class SpendLine:
    """Calls that share a day, a provider or a task; `micros` is known cost, `unpriced` the calls without one."""

    key: str
    calls: int
    failures: int
    tokens: int
    micros: int
    unpriced: int


def spend_by_provider(since: datetime) -> list[SpendLine]:
    """The dearest first."""
    return _spend(AICall.provider, since)


def spend_by_task(since: datetime) -> list[SpendLine]:
    """The dearest first."""
    return _spend(AICall.task, since)


def spend_by_day(since: datetime) -> list[SpendLine]:
    """One line a UTC day that had calls, oldest first; the key is the ISO date."""
    moment: ColumnElement[Any] = AICall.__table__.c.created_at
    if db.engine.dialect.name == "postgresql":
        moment = func.timezone("UTC", moment)
    return sorted(_spend(func.date(moment), since), key=lambda line: line.key)


def add_up(lines: Sequence[SpendLine]) -> SpendLine:
    """All lines as one."""
    return SpendLine(
        "",
        sum(line.calls for line in lines),
        sum(line.failures for line in lines),
        sum(line.tokens for line in lines),
        sum(line.micros for line in lines),
        sum(line.unpriced for line in lines),
    )


def _spend(key: ColumnElement[Any] | InstrumentedAttribute[str], since: datetime) -> list[SpendLine]:
    micros = func.coalesce(func.sum(AICall.cost_micros), 0)
    statement = (
        select(
            key,
            func.count(AICall.id),
            func.sum(case((AICall.failure != "", 1), else_=0)),
            func.sum(AICall.input_tokens + AICall.output_tokens),
            micros,
            func.sum(case((AICall.cost_micros.is_(None), 1), else_=0)),
        )
        .where(AICall.created_at >= since)
        .group_by(key)
        .order_by(desc(micros), key)
    )
    return [
        SpendLine(str(name), int(calls), int(failures), int(tokens or 0), int(total), int(unpriced))
        for name, calls, failures, tokens, total, unpriced in db.session.execute(statement)
    ]
